package import Platform

/// How a delivery waits, and how much it keeps.
package struct DeliverySettings: Sendable, Equatable {
    /// The most compressed bytes that wait in memory; the oldest batch goes first.
    package var queue = ByteCount.mebibytes(32)
    package var minBackoff = Duration.milliseconds(500)
    package var maxBackoff = Duration.seconds(30)
    /// Whether "too many requests" is tried again. The specification leaves it to the sender.
    package var retriesOnTooManyRequests = true

    package init() {}
}

extension Delivery {
    package enum Limits {
        /// Each wait is up to a tenth shorter or longer.
        static let jitter = Jitter(0.9...1.1)
        /// A receiver that asks for more is asked again after this.
        package static let retryAfter = Duration.seconds(300)
        /// How long a refused credential is left alone before it is read again.
        package static let credentialHold = Duration.seconds(30)
        /// A smaller batch that is "too large" is dropped: parts of it would be too.
        package static let split_bytes = 256 << 10
        /// Halving ends here: one series with long labels still fits.
        package static let smallestCap_bytes = 32 << 10
        /// How long a lowered cap stays before it is doubled: rare enough that a trial costs nothing, and the full cap is
        /// back within a working day.
        package static let capRest = Duration.seconds(3_600)
        /// A decoded request is never larger: our own cap, and room for a single huge series.
        static let decoded_bytes = 64 << 20
        /// What an entry costs beside its body.
        static let entry_bytes = 160
    }
}
