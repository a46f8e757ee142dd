import HTTPClient
import Platform
import RemoteWrite
import Status
import Synchronization
import Wire

/// The status of one destination, as its thread published it last. Any thread may read it, and none waits for a request
/// or for a disk: the lock is held for the copy only.
final class PublishedStatus: Sendable {
    /// What a destination publishes.
    struct Content: Sendable {
        var status: DestinationStatus
        /// The time of the oldest sample that waits.
        var oldest: Timestamp?
        /// The series of its table.
        var series = 0
    }

    private let content: Mutex<Content>

    init(_ settings: ShipperSettings) {
        var status = DestinationStatus()
        status.name = settings.destination
        status.url = settings.url.description
        status.state = .starting
        status.queueMax_bytes = settings.delivery.queue.bytes
        if let spool = settings.spool {
            var empty = SpoolStatus()
            empty.max_bytes = spool.maxBytes.bytes
            status.spool = empty
        }
        content = Mutex(Content(status: status))
    }

    /// Changes what is published. Only the destination's thread calls it.
    func update(_ body: (inout Content) -> Void) { content.withLock { body(&$0) } }

    /// The status at `now`. `plots` and `samplesPerSecond` are not its own.
    func status(at now: Timestamp) -> DestinationStatus {
        let content = content.withLock { $0 }
        var status = content.status
        status.oldestPending = content.oldest.map { max(0, now.since($0).inSeconds) } ?? 0
        return status
    }

    /// The sizes of the destination's tables. Their names end with its own.
    var tables: [TableMemory] {
        let content = content.withLock { $0 }
        let status = content.status
        func table(_ kind: String, _ entries: Int, _ size_bytes: Int? = nil) -> TableMemory {
            var table = TableMemory()
            table.name = "remote_write_\(kind)_\(status.name)"
            table.entries = entries
            table.size_bytes = size_bytes
            return table
        }
        let spooled = status.spool?.samples ?? 0
        let tables = [
            table("series", content.series),
            table("queue_samples", max(0, status.pending - spooled), status.queue_bytes),
        ]
        guard let spool = status.spool else { return tables }
        return tables + [table("spool_samples", spool.samples, spool.size_bytes)]
    }
}

extension DestinationStatus {
    /// Takes over the figures of a delivery. It allocates nothing.
    mutating func take(_ statistics: DeliveryStatistics) {
        // `rawValue` is a constant text.
        message = statistics.message.rawValue
        lastSuccess = statistics.lastSuccess
        backoff = statistics.backoff.inSeconds
        pending = Int(clamping: statistics.pending)
        accepted = Int(clamping: statistics.accepted)
        rejected = Int(clamping: statistics.rejected)
        dropped = Int(clamping: statistics.droppedInAll)
        ambiguous = Int(clamping: statistics.ambiguous)
        queue_bytes = statistics.queue_bytes
        shards = statistics.shards
        spool?.size_bytes = statistics.spool_bytes
        spool?.samples = statistics.spoolSamples
        spool?.oldest = statistics.oldestSpooled
    }
}
