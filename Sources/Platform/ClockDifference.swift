/// A difference between the clock of this machine and another one that is certain, and what to say of it. Positive where
/// this machine is ahead.
package struct ClockDifference: Sendable {
    /// The weight of a difference for people.
    package enum Weight: Sendable {
        /// Too small for a word.
        case none
        case notable
        case harmful
    }

    package let value: Duration

    package init(_ value: Duration) { self.value = value }

    private var size: Duration { value < .zero ? .zero - value : value }

    package var weight: Weight {
        if size >= ClockInterval.Limits.harmful { return .harmful }
        return size > ClockInterval.Limits.notable ? .notable : .none
    }

    /// The sentences for people.
    ///
    /// - Parameters:
    ///   - clock: the other clock, such as "that of the database".
    ///   - cost: what a difference does.
    package func text(from clock: String, cost: String) -> String {
        guard weight != .none else { return "the clock of this machine agrees with \(clock)" }
        // The proven part is a moment shorter than the difference: 2 h would be shown as 1 h 59 min.
        let minute = Duration.seconds(60)
        let size = size < minute * 10 ? size : minute * Int((size + minute / 2) / minute)
        return "the clock of this machine is \(UnitText.rough(size)) \(value > .zero ? "ahead of" : "behind") "
            + "\(clock): \(cost). Set the clock that is wrong, best by NTP (timedatectl set-ntp true)"
    }
}
