import Exporter
import HTTPServing
import LiveKit
import Platform
import Wire

/// From the listener's thread to the recorder's.
enum QueueCases {
    static var all: [BenchmarkCase] {
        [
            BenchmarkCase("queue", per: "event") {
                let operations = 1_000
                let intake = WebhookIntake(capacity: operations)
                let answers = WebhookIntake.Answers(accepted: Response(status: 200)) { _ in Response(status: 503) }
                let event = AcceptedEvent(
                    event: Event(id: "EV_benchmark0001", createdAt: 1, body: .roomStarted),
                    receivedAt: Timestamp(seconds: 1))
                let now = SystemTime().monotonic()
                var batch: [AcceptedEvent] = []
                var plain: [AcceptedEvent] = []
                return Workload(
                    operations: operations,
                    run: {
                        for _ in 0..<operations {
                            let offer = intake.offer(event, now: now, answers: answers)
                            guard case .accepted = offer else { preconditionFailure("the queue has room") }
                        }
                        _ = intake.drain(into: &batch, until: nil)
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
