extension DeliverySettings {
    /// The memory of one sample that waits, or its place in a spool, as it is packed. Whole numbers that change little take less.
    static let packedSample_bytes = 6

    /// About the time for which readings of this many samples wait, before the oldest are lost.
    package func outage(samples: Int, every interval: Duration) -> Duration {
        let memory_bytes = Delivery(self, limits: BatchLimits(samples: samples), seed: 0)
            .memory(afterReadingOf: samples)
        return interval * (memory_bytes / (samples * Self.packedSample_bytes))
    }
}
