package import Wire

/// The reason why samples were dropped before a receiver could judge them.
package enum DropReason: String, Sendable, CaseIterable {
    /// The memory for waiting batches was used up.
    case queueFull = "queue_full"
    /// The batch alone is larger than that memory.
    case tooLarge = "too_large"
    /// The spool was full: SPOOL_MAX_BYTES was reached.
    case spoolFull = "spool_full"
    /// The file system of the spool has no room to spare.
    case diskReserve = "disk_reserve"
    /// They waited in the spool for longer than SPOOL_MAX_AGE.
    case tooOld = "too_old"
    /// The spool cannot be read where they were.
    case damaged
    /// Their times lie ahead of a clock that was set back.
    case clock
    /// The program stopped before they could be sent.
    case stopped
}

/// The counters of a delivery since it was made. They count samples unless their name says otherwise.
///
/// Invariant: `enqueued = accepted + rejected + ambiguous + droppedInAll + pending`.
package struct DeliveryStatistics: Sendable, Equatable {
    package internal(set) var enqueued: UInt64 = 0
    package internal(set) var accepted: UInt64 = 0
    /// Samples that were refused for good, by status code.
    package internal(set) var rejectedByStatus: [Int: UInt64] = [:]
    package internal(set) var ambiguous: UInt64 = 0
    package internal(set) var dropped: [DropReason: UInt64] = [:]
    package internal(set) var samplesRetried: UInt64 = 0

    /// Samples that the receiver answered with 202: it has them from another replica.
    package internal(set) var deduplicated: UInt64 = 0
    /// The sums of the headers `X-Prometheus-Remote-Write-*-Written`.
    package internal(set) var written = Delivery.Written()

    /// Requests that were made ready, and those of them whose samples have their fate.
    package internal(set) var batchesEnqueued: UInt64 = 0
    package internal(set) var batchesSettled: UInt64 = 0
    /// Requests that were not the first with their batch.
    package internal(set) var retries: UInt64 = 0
    /// Answers, by status code.
    package internal(set) var answers: [Int: UInt64] = [:]
    /// Answers that refused the credentials.
    package internal(set) var holds: UInt64 = 0
    /// Answers that found a batch too large.
    package internal(set) var splits: UInt64 = 0
    /// Requests that were split in two for it.
    package internal(set) var batchesSplit: UInt64 = 0
    /// True while everything waits because the credentials were refused.
    package internal(set) var isHeld = false
    /// Changes from version 2.0 to 1.0, by reason.
    package internal(set) var fallbacks: [FallbackReason: UInt64] = [:]
    /// The compressed bytes of accepted batches.
    package internal(set) var bytesAccepted: UInt64 = 0

    /// True while what waits is on disk.
    package internal(set) var isSpooling = false
    /// The bytes and the samples in the spool, and the time of the oldest of them.
    package internal(set) var spool_bytes = 0
    package internal(set) var spoolSamples = 0
    package internal(set) var oldestSpooled: Timestamp?
    /// Samples that were written to the spool.
    package internal(set) var samplesSpooled: UInt64 = 0
    /// Orders to the spool that failed.
    package internal(set) var spoolFailures: UInt64 = 0

    /// The memory of the queue now.
    package internal(set) var queue_bytes = 0
    /// The wait that began last; zero after a success.
    package internal(set) var backoff = Duration.zero
    package internal(set) var lastSuccess: Timestamp?
    package internal(set) var newestEnqueued: Timestamp?
    package internal(set) var newestSent: Timestamp?
    package internal(set) var oldestQueued: Timestamp?

    /// The requests that may run at once, and the number that would be needed to send all that waits within a tick.
    package internal(set) var shards = 1
    package internal(set) var shardsDesired = 1.0
    /// The message of the next request.
    package internal(set) var message = Message.v1

    package init() {}

    mutating func note(_ more: Delivery.Written) {
        func sum(_ a: UInt64?, _ b: UInt64?) -> UInt64? { b.map { (a ?? 0) &+ $0 } ?? a }
        written = Delivery.Written(
            samples: sum(written.samples, more.samples), histograms: sum(written.histograms, more.histograms),
            exemplars: sum(written.exemplars, more.exemplars))
    }

    package var rejected: UInt64 { rejectedByStatus.values.reduce(0, +) }
    package var droppedInAll: UInt64 { dropped.values.reduce(0, +) }

    /// Samples that wait or are under way.
    package var pending: UInt64 { enqueued - accepted - rejected - ambiguous - droppedInAll }
}
