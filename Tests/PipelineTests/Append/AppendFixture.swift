import HTTPServing
import Journal
import LiveKit
import Metrics
import Platform
import TestSupport
import Wire

@testable import Pipeline
@testable import HTTPServing

/// The thread `append` of one process, with the intake before it.
final class AppendFixture {
    let registry = Registry(maxSeries: 1_000)
    let readiness = Readiness()
    let inbox: AppendInbox
    let intake: WebhookIntake
    let refusals = Monitor<[WebhookRefusal]>([])
    let appended = Monitor(0)
    private let thread: AppendThread
    private var isStopped = false

    /// - Parameters:
    ///   - spill: opens another spill than that of the world.
    ///   - hasSpill: false where nothing is kept on this machine.
    init(
        _ world: AppendWorld, spill: OpenSpill? = nil, hasSpill: Bool = true, maxSpill: ByteCount = ByteCount(1 << 30)
    ) {
        let refusals = refusals
        let answers = WebhookAnswers(accepted: Response(status: 200)) { refusal in
            refusals.change { $0.append(refusal) }
            return Response(status: 503)
        }
        readiness.clear(.starting)
        inbox = AppendInbox(answers: answers)
        intake = WebhookIntake(answers: answers, journal: inbox, capacity: 10_000)
        let interruption = Interruption()
        let opened = world.open(interruption)
        thread = AppendThread(
            inbox, settings: AppendSettings(maxSpill: maxSpill), events: opened.log,
            spill: hasSpill ? spill ?? opened.spill : nil, reservations: intake, registry: registry,
            readiness: readiness, interruption: interruption, log: Log(level: .error, format: .text, file: -1),
            appended: { [appended] in appended.change { $0 += 1 } })
    }

    deinit { if !isStopped { _ = stop() } }

    /// Stops the thread, as the program does.
    func stop(by deadline: MonotonicTime = Waits.end) -> Bool {
        isStopped = true
        intake.close()
        inbox.close()
        return thread.stop(by: deadline)
    }

    /// Offers an event. Nil where it was refused at once.
    func offer(_ id: Int) -> PendingResponse? {
        let event = AcceptedEvent(
            event: Event(
                id: "EV_\(id)", createdAt: 1, room: Room(sid: "RM_\(id)", name: "room \(id)"), body: .roomStarted),
            receivedAt: SystemTime().now())
        guard case .waiting(let request) = intake.offer(event, now: SystemTime().monotonic()) else { return nil }
        return request
    }

    /// Offers an event and waits for the answer: 200 or 503.
    func post(_ id: Int) -> Int {
        guard let request = offer(id) else { return 503 }
        return request.awaitedStatus
    }

    func total(_ family: String) -> Double {
        registry.collect()
        return registry.series(of: family).reduce(0) { sum, series in
            switch series.instrument {
            case .counter(let counter): sum + counter.value
            case .gauge(let gauge): sum + gauge.value
            case .histogram: sum
            }
        }
    }
}

extension PendingResponse {
    /// The status of the answer; 0 while there is none.
    var status: Int { answer.map { Int($0.status) } ?? 0 }

    /// The status of the answer, after a wait for it.
    var awaitedStatus: Int {
        _ = eventually { answer != nil }
        return status
    }
}
