package import Platform

/// Whether lkpush can take webhooks, and what is in the way.
///
/// Any thread. A dead remote-write endpoint is no obstacle: the data is kept.
package final class Readiness: Sendable {
    /// What can be in the way, in the order in which it is reported.
    package enum Obstacle: Int, Sendable, CaseIterable {
        case starting, state, journal, stopping
    }

    private let reasons: Monitor<[Obstacle: String]>

    /// Unready from the start, until `clear(.starting)`.
    package init() { reasons = Monitor([.starting: "starting"]) }

    /// Puts an obstacle in the way, or changes its reason: a sentence for people, without secrets.
    package func block(_ obstacle: Obstacle, because reason: String) {
        reasons.change { $0[obstacle] = reason }
    }

    /// Takes an obstacle away.
    package func clear(_ obstacle: Obstacle) { reasons.change { _ = $0.removeValue(forKey: obstacle) } }

    /// Why it is unready, the first reason first; empty when it is ready.
    package var obstacles: [String] {
        reasons.withLock { reasons in Obstacle.allCases.compactMap { reasons[$0] } }
    }

    /// Waits until nothing is in the way; false where that did not come in time.
    package func wait(until deadline: MonotonicTime) -> Bool {
        reasons.wait(until: deadline) { $0.isEmpty ? true : nil } ?? false
    }
}
