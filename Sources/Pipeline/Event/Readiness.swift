package import Platform

/// Tells whether lkpush is ready to take webhooks, and which obstacles there are.
///
/// Any thread may use it. A receiver that does not answer is no obstacle, because the samples are kept.
package final class Readiness: Sendable {
    /// A reason why webhooks are not taken. Obstacles are reported in the order of the cases.
    package enum Obstacle: Int, Sendable, CaseIterable {
        case starting, state, journal, stopping
    }

    private let reasons: Monitor<[Obstacle: String]>

    /// Begins with the obstacle `starting`; `clear(.starting)` removes it.
    package init() { reasons = Monitor([.starting: "starting"]) }

    /// Adds an obstacle, or changes its reason: a sentence for people, without secrets.
    package func block(_ obstacle: Obstacle, because reason: String) {
        reasons.change { $0[obstacle] = reason }
    }

    /// Removes an obstacle.
    package func clear(_ obstacle: Obstacle) { reasons.change { _ = $0.removeValue(forKey: obstacle) } }

    /// The reasons of all obstacles, in the order of the cases; empty when lkpush is ready.
    package var obstacles: [String] {
        reasons.withLock { reasons in Obstacle.allCases.compactMap { reasons[$0] } }
    }

    /// The reason of one obstacle; nil where it does not stand.
    package func reason(of obstacle: Obstacle) -> String? { reasons.withLock { $0[obstacle] } }

    /// Waits until there is no obstacle; false where `deadline` came first.
    package func wait(until deadline: MonotonicTime) -> Bool {
        reasons.wait(until: deadline) { $0.isEmpty ? true : nil } ?? false
    }
}
