/// How far waits are spread, so that many who wait for the same thing do not all come back at the same moment.
package struct Jitter: Sendable, Equatable {
    /// What a wait is multiplied with: anything in this range, each with the same chance.
    package let factors: ClosedRange<Double>

    /// Every wait stays as it is.
    package static let none = Jitter(1...1)

    /// Traps where the range is not above 0 or leaves out 1.
    package init(_ factors: ClosedRange<Double>) {
        precondition(factors.lowerBound > 0 && factors.contains(1), "jitter spreads a wait around itself")
        self.factors = factors
    }

    /// The wait, made shorter or longer. `chance` is from 0 to 1.
    package func spread(_ wait: Duration, chance: Double) -> Duration {
        wait * (factors.lowerBound + (factors.upperBound - factors.lowerBound) * chance)
    }
}
