/// A random factor for waits, so that clients that wait for the same thing do not all come back at the same moment.
package struct Jitter: Sendable, Equatable {
    /// A wait is multiplied by a factor from this range. Each factor is equally likely.
    package let factors: ClosedRange<Double>

    /// No jitter: every wait stays as it is.
    package static let none = Jitter(1...1)

    /// Traps if the range reaches 0 or below, or does not contain 1.
    package init(_ factors: ClosedRange<Double>) {
        precondition(factors.lowerBound > 0 && factors.contains(1), "jitter spreads a wait around itself")
        self.factors = factors
    }

    /// Makes the wait shorter or longer. `chance` is a random number from 0 to 1.
    package func spread(_ wait: Duration, chance: Double) -> Duration {
        wait * (factors.lowerBound + (factors.upperBound - factors.lowerBound) * chance)
    }
}
