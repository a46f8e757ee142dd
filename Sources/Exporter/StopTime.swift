import Platform

/// The time that a stop has, of which each stage gets a share.
struct StopTime: Sendable {
    let begin: MonotonicTime
    let length: Duration

    /// The time at which a share is over, counted from the begin of the stop. A stage may also use the time that earlier
    /// stages left.
    func callAsFunction(_ share: Double) -> MonotonicTime { begin + length * share }
}
