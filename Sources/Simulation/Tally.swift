import LiveKit

/// Counts of webhooks and answers.
package struct Tally: Sendable {
    /// The number of requests, including retries.
    package var requests = 0
    /// The number of webhooks for each status of their last attempt.
    package var statuses: [Int: Int] = [:]
    /// The number of attempts without an answer.
    package var unanswered = 0
    package var retried = 0
    /// The number of webhooks that were given up after five attempts.
    package var lost = 0
    /// The number of webhooks that were never sent, on request.
    package var withheld = 0
    package var novelties: [SimulatedWebhook.Novelty: Int] = [:]
    /// The time to the answer, summed over answered requests, in seconds.
    package var answer_seconds = 0.0
    package var slowest_seconds = 0.0
    /// The time from due to answered, summed over delivered webhooks.
    package var lag_seconds = 0.0
    /// A description of the last failure.
    package var problem: String?

    package init() {}

    /// The number of webhooks with a final answer.
    package var answered: Int { statuses.values.reduce(0, +) }
    /// At least one webhook was delivered, and every settled webhook was accepted.
    package var isFlawless: Bool { lost == 0 && !statuses.isEmpty && statuses.keys.allSatisfy { $0 == 200 } }
}
