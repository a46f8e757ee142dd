import Synchronization
package import Wire

/// The differences between this machine's clock and those of its peers, which come along with what is exchanged anyway.
///
/// Any thread may call it, and none waits for long. A measurement counts for 15 minutes: then the difference is unknown,
/// because an old number would neither show a new fault nor the end of one.
package final class ClockSkew: Sendable {
    /// A peer. The raw value is the label value of `against`.
    package enum Peer: String, Sendable, CaseIterable {
        case receiver, database, livekit
    }

    package enum Limits {
        /// The time that a measurement counts: three of the default intervals at which the database is asked, so that one
        /// that is late ends nothing.
        package static let lifetime = Duration.seconds(900)
        /// The window of the times in tokens. A token is up to 15 s old where a webhook was repeated, and one that is
        /// not comes within minutes.
        package static let tokens = Duration.seconds(300)
        /// The parts of that window. A number leaves it within a tenth of the window.
        static let tokenParts = 10
    }

    private struct State {
        /// The receivers in the order of their configuration.
        var receivers: [ClockEstimate?] = []
        var database: ClockEstimate?
        var tokens = WindowedLeast(window: Limits.tokens, parts: Limits.tokenParts)
    }

    private let state = Mutex(State())
    /// The least age of a token in milliseconds since the last look, negative if it is from the future; `Int64.max` if
    /// there was none.
    private let leastAge = Atomic<Int64>(.max)

    package init() {}

    // MARK: Measuring

    /// Notes what an answer of a receiver allows.
    ///
    /// - Parameter place: the place of the receiver in the configuration, from 0.
    package func note(receiver place: Int, _ interval: ClockInterval, at now: MonotonicTime) {
        state.withLock { state in
            while state.receivers.count <= place { state.receivers.append(nil) }
            Self.take(interval, at: now, into: &state.receivers[place])
        }
    }

    /// Notes what an answer of the database allows.
    package func note(database interval: ClockInterval, at now: MonotonicTime) {
        state.withLock { Self.take(interval, at: now, into: &$0.database) }
    }

    /// Notes the time in a signed token. It takes no lock and costs one load, as a rule.
    package func note(token signedAt: Timestamp, receivedAt now: Timestamp) {
        let age = now.milliseconds &- signedAt.milliseconds
        var least = leastAge.load(ordering: .relaxed)
        while age < least {
            let (isDone, seen) = leastAge.weakCompareExchange(expected: least, desired: age, ordering: .relaxed)
            if isDone { return }
            least = seen
        }
    }

    private static func take(_ interval: ClockInterval, at now: MonotonicTime, into estimate: inout ClockEstimate?) {
        guard let known = estimate, now.since(known.measuredAt) <= Limits.lifetime else {
            estimate = ClockEstimate(interval, at: now)
            return
        }
        estimate?.take(interval, at: now)
    }

    // MARK: Reading

    /// The difference that is certain, positive if this machine is ahead. Nil if nothing was measured for too long.
    ///
    /// Of several receivers the first one counts that was measured: `default`, unless it does not answer.
    package func difference(from peer: Peer, at now: MonotonicTime) -> Duration? {
        switch peer {
        case .receiver:
            state.withLock { state in
                for estimate in state.receivers {
                    if let found = Self.proven(estimate, at: now) { return found }
                }
                return nil
            }
        case .database: state.withLock { Self.proven($0.database, at: now) }
        case .livekit: ageOfTokens(at: now)
        }
    }

    private static func proven(_ estimate: ClockEstimate?, at now: MonotonicTime) -> Duration? {
        guard let estimate, now.since(estimate.measuredAt) <= Limits.lifetime else { return nil }
        return estimate.interval.proven
    }

    /// The age of a token is the difference of the clocks and the time that its delivery took. The least age of some
    /// minutes is that of a quick delivery.
    private func ageOfTokens(at now: MonotonicTime) -> Duration? {
        let age = leastAge.exchange(.max, ordering: .relaxed)
        return state.withLock { state in
            if age != .max { state.tokens.take(age, at: now) }
            return state.tokens.value(at: now, lifetime: Limits.lifetime).map { least in
                // Times in tokens are rounded down to seconds.
                ClockInterval(
                    told: Timestamp(milliseconds: 0), roundedTo: .seconds(1),
                    receivedAt: Timestamp(milliseconds: least), took: .zero
                ).proven
            }
        }
    }
}
