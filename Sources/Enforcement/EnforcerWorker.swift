import HTTPClient
import LiveKit
import Platform

/// The loop of the thread `enforcer`: it sends what the queue decides, and passes the outcomes to it.
///
/// It is made, used and ended on that thread. No log line names a person, a room or a token.
final class EnforcerWorker {
    /// The state that the thread shares with the callers of the enforcer.
    struct Inbox {
        var queue: RemovalQueue
        var signer: TokenSigner
        var waker: Waker?
        var failure: TransportError?
        var stopBy: MonotonicTime?
        var isFinished = false
    }

    /// The lifetime of a token: longer than any request, and than the difference of two clocks. LiveKit adds a minute
    /// itself.
    private static let tokenLifetime = Duration.seconds(60)

    private let settings: EnforcerSettings
    private let inbox: Monitor<Inbox>
    private let log: Log
    private let time: any TimeSource
    private let transport: Transport
    private var underWay: [RequestID: UInt64] = [:]
    private var completions: [Completion] = []

    init(
        _ settings: EnforcerSettings, _ inbox: Monitor<Inbox>, _ log: Log, _ time: any TimeSource
    ) throws(TransportError) {
        self.settings = settings
        self.inbox = inbox
        self.log = log
        self.time = time
        var options = TransportOptions()
        options.connectTimeout = settings.connectTimeout
        options.network = settings.network
        options.connectionsPerHost = RemovalQueue.Limits.inFlight
        transport = try Transport(options, time: time)
        inbox.change { [waker = transport.waker] in $0.waker = waker }
    }

    /// Works until a stop is asked for, and then until the last request has ended or the time is over.
    func run() {
        while true {
            let stopBy = inbox.withLock { $0.stopBy }
            if let stopBy, underWay.isEmpty || time.monotonic() >= stopBy { break }
            turn(until: stopBy)
        }
        inbox.withLock { inbox in
            inbox.queue.abandon()
            inbox.waker = nil
        }
    }

    private func turn(until limit: MonotonicTime?) {
        var deadline = limit
        while true {
            let (step, signer) = inbox.withLock { ($0.queue.next(at: time.monotonic()), $0.signer) }
            if case .send(let attempt) = step {
                underWay[transport.start(request(attempt, signer))] = attempt.number
                continue
            }
            if case .wait(let until?) = step { deadline = min(until, deadline ?? until) }
            break
        }
        transport.poll(until: deadline, into: &completions)
        for completion in completions { settle(completion) }
        completions.removeAll(keepingCapacity: true)
    }

    private func request(_ attempt: RemovalQueue.Attempt, _ signer: TokenSigner) -> Request {
        let token = signer.roomAdminToken(for: attempt.room, at: time.now(), lifetime: Self.tokenLifetime)
        return Request(
            .post, settings.endpoint,
            headers: [
                HTTPHeader(known: "Authorization", "Bearer \(token)"),
                HTTPHeader(known: "Content-Type", "application/json"),
                HTTPHeader(known: "User-Agent", settings.userAgent),
            ],
            body: RoomService.removeParticipantBody(room: attempt.room, identity: attempt.identity),
            timeout: max(.milliseconds(1), min(settings.timeout, attempt.deadline.since(time.monotonic()))))
    }

    private func settle(_ completion: Completion) {
        guard let number = underWay.removeValue(forKey: completion.id) else { return }
        let outcome: RemovalQueue.Outcome
        let reason: Log.Fields
        switch completion.outcome {
        case .response(let response):
            let code = RoomService.errorCode(in: response.body.span)
            outcome = .answered(
                status: response.status, code: code, retryAfter: response.retryAfter(at: time.now()))
            reason = ["status": .int(response.status), "code": .string(code ?? "none")]
        case .failure(let failure):
            outcome = .unanswered
            reason = ["error": .string(failure.kind.rawValue), "curl": .int(Int(failure.code))]
        }
        switch inbox.withLock({ $0.queue.settle(number, outcome, at: time.monotonic()) }) {
        case .ended(.refused): log.throttled(.error, "LiveKit refuses to remove a session: it stays", reason)
        case .ended(.failed): log.throttled(.error, "a session could not be removed in time: it stays", reason)
        case .retried: log.throttled(.warning, "a session could not be removed: it is tried again", reason)
        case .ended: break
        }
    }
}
