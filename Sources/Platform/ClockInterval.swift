package import Wire

/// The differences between this machine's clock and another one that a measurement allows. A positive difference says
/// that this machine is ahead.
package struct ClockInterval: Sendable, Equatable {
    package enum Limits {
        /// A smaller difference is not worth a word: the header `Date` has whole seconds.
        package static let notable = Duration.seconds(5)
        /// A larger difference is a fault: samples, rows and tokens are wrong by as much.
        package static let harmful = Duration.seconds(120)
    }

    package let least: Duration
    package let most: Duration

    init(least: Duration, most: Duration) {
        self.least = least
        self.most = most
    }

    /// The result of an exchange in which the other side told its time.
    ///
    /// - Parameters:
    ///   - told: the time of the other clock at some moment of the exchange, rounded down.
    ///   - unit: the unit that it was rounded down to.
    ///   - receivedAt: the time of this machine's clock at the end of the exchange.
    ///   - took: the duration of the exchange.
    package init(told: Timestamp, roundedTo unit: Duration, receivedAt: Timestamp, took: Duration) {
        least = receivedAt.since(told + unit) - took
        most = receivedAt.since(told)
    }

    /// The part of the difference that is certain: the difference nearest to zero. Slow answers and rounded times never
    /// make it larger than the true one.
    package var proven: Duration { least > .zero ? least : min(most, .zero) }

    /// The differences that both allow. Nil if there is none.
    func intersection(_ other: ClockInterval) -> ClockInterval? {
        let (least, most) = (max(least, other.least), min(most, other.most))
        return least <= most ? ClockInterval(least: least, most: most) : nil
    }

    /// The same with a margin on both sides.
    func widened(by margin: Duration) -> ClockInterval {
        ClockInterval(least: least - margin, most: most + margin)
    }
}
