package import LiveKit
package import Wire

/// One webhook that the simulated LiveKit sends.
package struct SimulatedWebhook: Sendable {
    /// The relation of a webhook to earlier ones, which the receiver must recognize.
    package enum Novelty: String, Sendable, CaseIterable {
        /// It tells a new fact.
        case first
        /// It repeats an event under the same id, as if the answer to the first one was lost.
        case duplicate
        /// It tells a known fact again under a new id.
        case restatement
    }

    /// The time at which LiveKit queued it, on the office's clock.
    package let at: Timestamp
    /// Webhooks of one key are delivered one after the other. The key is the room's name, or the id of the job.
    package let key: String
    /// The time for which the network delays it, in real time.
    package let delay: Duration
    package let novelty: Novelty
    /// The organization that it belongs to.
    package let organization: String
    package let message: WebhookMessage
    /// The facts that it adds to the truth; empty unless it is `first`.
    package let facts: [Fact]

    package var event: EventType { message.event }
    /// The name of the room.
    package var room: String { message.room.name }

    /// The same webhook, delivered once more.
    package var duplicate: SimulatedWebhook {
        SimulatedWebhook(
            at: at, key: key, delay: delay, novelty: .duplicate, organization: organization, message: message, facts: []
        )
    }
}
