/// How long to wait after failures: the wait doubles with each of them, between two bounds, and has jitter.
///
/// Pure: the caller counts the failures and passes the chance in.
package struct Backoff: Sendable, Equatable {
    /// The wait after the first failure.
    package let minimum: Duration
    /// The wait doubles up to this.
    package let maximum: Duration
    package let jitter: Jitter
    /// Whether jitter may lengthen a wait beyond `maximum`. Where it may not, it only shortens the longest wait: many
    /// who wait stay spread there too.
    package let mayExceedMaximum: Bool

    package init(from minimum: Duration, to maximum: Duration, jitter: Jitter, mayExceedMaximum: Bool = false) {
        self.minimum = minimum
        self.maximum = maximum
        self.jitter = jitter
        self.mayExceedMaximum = mayExceedMaximum
    }

    /// The wait after so many failures in a row, the latest included. `chance` is from 0 to 1.
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
