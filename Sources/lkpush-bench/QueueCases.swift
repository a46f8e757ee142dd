import Exporter
import HTTPServing
import LiveKit
import Pipeline
import Platform
import Wire

/// The hand-over from the listener's thread to the recorder's.
enum QueueCases {
    static var all: [BenchmarkCase] {
        [
            BenchmarkCase("queue", per: "event") {
                let operations = 1_000
                let inbox = RecorderInbox(capacity: operations)
                let intake = WebhookIntake(
                    answers: WebhookAnswers(accepted: Response(status: 200)) { _ in Response(status: 503) },
                    journal: nil, recorder: inbox)
                let event = AcceptedEvent(
                    event: Event(id: "EV_benchmark0001", createdAt: 1, body: .roomStarted),
                    receivedAt: Timestamp(seconds: 1))
                let now = SystemTime().monotonic()
                var contents = RecorderInbox.Contents()
                var plain: [AcceptedEvent] = []
                return Workload(
                    operations: operations,
                    run: {
                        for _ in 0..<operations {
                            let offer = intake.offer(event, now: now)
                            guard case .accepted = offer else { preconditionFailure("the queue has room") }
                        }
                        inbox.take(into: &contents, until: nil)
                        intake.free(contents.events.count)
                    },
                    lowerBound: .init(name: "array append", operations: operations) {
                        plain.removeAll(keepingCapacity: true)
                        for _ in 0..<operations { plain.append(event) }
                        blackHole(plain)
                    })
            }
        ]
    }
}
