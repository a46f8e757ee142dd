/// Exponential backoff: the wait doubles with each failure, between two bounds, and has jitter.
///
/// It is pure: the caller counts the failures and passes the random number in.
package struct Backoff: Sendable, Equatable {
    /// The wait after the first failure.
    package let minimum: Duration
    /// The longest wait, before jitter.
    package let maximum: Duration
    package let jitter: Jitter
    /// Jitter may lengthen a wait beyond `maximum`. If it may not, jitter only shortens the longest wait, so clients
    /// that wait that long still come back at different moments.
    package let mayExceedMaximum: Bool

    package init(from minimum: Duration, to maximum: Duration, jitter: Jitter, mayExceedMaximum: Bool = false) {
        self.minimum = minimum
        self.maximum = maximum
        self.jitter = jitter
        self.mayExceedMaximum = mayExceedMaximum
    }

    /// The wait after this many failures in a row, the latest included. `chance` is a random number from 0 to 1.
    package func wait(afterFailures failures: Int, chance: Double) -> Duration {
        var wait = minimum
        var doublings = failures - 1
        while doublings > 0 && wait < maximum {
            wait *= 2
            doublings -= 1
        }
        wait = min(wait, maximum)
        guard !mayExceedMaximum, wait > .zero else { return jitter.spread(wait, chance: chance) }
        let longest = min(jitter.factors.upperBound, maximum / wait)
        return Jitter(jitter.factors.lowerBound...longest).spread(wait, chance: chance)
    }
}
