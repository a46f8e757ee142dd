extension Recorder {
    /// Takes the totals of usage that have changed since the last call.
    package mutating func takeUsageReading() -> UsageReading { UsageReading() }

    /// Time passes in a series of usage, or what passed is not in a reading yet.
    package var hasOpenUsage: Bool { true }
}
