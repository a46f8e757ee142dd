package import LiveKit
package import Wire

/// One webhook that the office's LiveKit wants delivered.
package struct SimulatedWebhook: Sendable {
    /// What the receiver should make of it.
    package enum Novelty: String, Sendable, CaseIterable {
        /// It says something new.
        case first
        /// The same event once more, with the same id: the answer to the first one got lost.
        case duplicate
        /// The same fact under a new id.
        case restatement
    }

    /// When LiveKit queued it, on the office's clock.
    package let at: Timestamp
    /// Webhooks of one key are delivered one after the other: the room's name, or the id of the job.
    package let key: String
    /// How long the network holds it back, in real time.
    package let delay: Duration
    package let novelty: Novelty
    /// The organization it belongs to.
    package let organization: String
    package let message: WebhookMessage
    /// What it adds to the truth; empty unless it is `first`.
    package let facts: [Fact]

    package var event: EventType { message.event }
}
