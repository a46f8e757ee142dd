package import Platform

/// The waits and the memory of a delivery. Their defaults are in `Settings`.
package struct DeliverySettings: Sendable, Equatable {
    /// The most compressed bytes that wait in memory. Beyond it the oldest batch is dropped.
    package var queue: ByteCount
    package var minBackoff: Duration
    package var maxBackoff: Duration
    /// Retries after status 429, "too many requests". The specification of remote write leaves it to the sender.
    package var retriesOnTooManyRequests: Bool

    package var message: MessageChoice
    /// The most requests that are under way at one time.
    package var maxShards: Int
    /// The bounds of the spool. Nil if there is none: what waits is in memory only.
    package var spool: SpoolBounds? = nil

    package init(
        queue: ByteCount, minBackoff: Duration, maxBackoff: Duration, retriesOnTooManyRequests: Bool,
        message: MessageChoice, maxShards: Int
    ) {
        self.queue = queue
        self.minBackoff = minBackoff
        self.maxBackoff = maxBackoff
        self.retriesOnTooManyRequests = retriesOnTooManyRequests
        self.message = message
        self.maxShards = maxShards
    }
}

extension Delivery {
    package enum Limits {
        /// A request without an answer for this long is late: its samples go to the spool, and the log says so.
        package static let late = Duration.seconds(5)
        /// The most shards that a spool may tell of: more are damage. It is the upper limit of the setting.
        static let shards = 64
        /// Each wait is up to a tenth shorter or longer.
        static let jitter = Jitter(0.9...1.1)
        /// The longest `Retry-After` that is obeyed.
        package static let retryAfter = Duration.seconds(300)
        /// The wait after refused credentials, before they are read again.
        package static let credentialHold = Duration.seconds(30)
        /// A smaller batch that is "too large" is rejected: its halves would be too large as well.
        package static let split_bytes = 256 << 10
        /// The cap is never halved below this: one series with long labels still fits.
        package static let smallestCap_bytes = 32 << 10
        /// The time after which a lowered cap is doubled. It is rare enough that a trial costs nothing, and the full
        /// cap is back within a working day.
        package static let capRest = Duration.seconds(3_600)
        /// The time after which a request of version 1.0 carries the metadata of all families again. Mimir forgets
        /// metadata after 10 minutes.
        /// https://grafana.com/docs/mimir/latest/configure/configuration-parameters/
        static let metadata = Duration.seconds(540)
        /// The bodies, and the lists of samples, that are kept for later requests.
        static let spares = 8
    }
}
