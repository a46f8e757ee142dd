import LiveKit

/// What was sent and what came back.
package struct Tally: Sendable {
    /// Requests, retries among them.
    package var requests = 0
    /// Webhooks that were answered with each status, by their last attempt.
    package var statuses: [Int: Int] = [:]
    /// Attempts that got no answer.
    package var unanswered = 0
    package var retried = 0
    /// Webhooks that were given up after five attempts.
    package var lost = 0
    package var novelties: [SimulatedWebhook.Novelty: Int] = [:]
    /// Sums over answered requests, in seconds.
    package var answer_seconds = 0.0
    package var slowest_seconds = 0.0
    /// From due to answered, summed over delivered webhooks.
    package var lag_seconds = 0.0
    /// The last thing that went wrong, in words.
    package var problem: String?

    package init() {}

    /// Webhooks that are settled: answered for good.
    package var answered: Int { statuses.values.reduce(0, +) }
    /// Something was delivered, and every webhook that was settled was accepted.
    package var isFlawless: Bool { lost == 0 && !statuses.isEmpty && statuses.keys.allSatisfy { $0 == 200 } }
}
