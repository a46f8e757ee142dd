import Platform
import Wire

/// The size limits of one request.
package struct BatchLimits: Sendable, Equatable {
    /// The default is in `Settings`.
    package var samples: Int
    /// Receivers limit what they read: Mimir per tenant, proxies per request.
    package var compressed_bytes = 1 << 20
    /// Prometheus and VictoriaMetrics decode at most 32 MiB. A quarter of it leaves room for stricter receivers.
    package var decoded_bytes = 8 << 20

    package init(samples: Int) { self.samples = samples }
}

/// The samples of one request. They stay together until the receiver has judged them.
struct DeliveryBatch: Sendable {
    /// Empty while they are on disk only.
    var samples: [QueuedSample]
    /// The number of samples.
    let count: Int
    var base: Timestamp
    /// Its place in the spool, with its number. Nil if it is in memory only.
    var stored: SpoolBacklog.Item?
    /// The number that it will have in the spool: it is the second part of a batch that was there. Nil for the next one.
    var number: Int64?
    /// Its samples were on disk already, in a block or in the batch that it is a part of.
    var wasStored = false
    /// The encoded request; empty before it is encoded.
    var body: [UInt8] = []
    /// The message of `body`.
    var message = Message.v1
    /// The requests with these samples so far, and those of them with this very body.
    var attempts = 0
    var bodyAttempts = 0
    /// An earlier request with these samples may have been received.
    var mayHaveArrived = false
    /// It asks a receiver of 1.0 whether it reads 2.0.
    var isProbe = false

    /// The memory that it takes.
    var bytes: Int { body.count + samples.count * MemoryLayout<QueuedSample>.stride + 160 }

    /// The times of its oldest and its newest sample.
    let times: (oldest: Timestamp, newest: Timestamp)

    /// True if its samples are in memory.
    var isLoaded: Bool { !samples.isEmpty }

    /// The number that it has or will have in the spool. Nil if it will be the next one.
    var placeNumber: Int64? { stored?.number ?? number }

    /// A batch that is on disk only.
    init(_ stored: SpoolBacklog.Item) {
        samples = []
        count = stored.count
        base = stored.newest
        times = (stored.oldest, stored.newest)
        self.stored = stored
    }

    init(samples: [QueuedSample], base: Timestamp) {
        self.samples = samples
        self.base = base
        count = samples.count
        var (oldest, newest) = (Int32.max, Int32.min)
        for sample in samples {
            oldest = min(oldest, sample.offset_ms)
            newest = max(newest, sample.offset_ms)
        }
        if samples.isEmpty { (oldest, newest) = (0, 0) }
        times = (base + .milliseconds(Int64(oldest)), base + .milliseconds(Int64(newest)))
    }

    /// The two halves of a batch, cut between two groups. Nil if it holds one group only.
    func halves(_ table: SeriesTable) -> (first: DeliveryBatch, second: DeliveryBatch)? {
        func beginsGroup(_ index: Int) -> Bool {
            table.owners[Int(samples[index].row)] != table.owners[Int(samples[index - 1].row)]
        }
        guard samples.count > 1 else { return nil }
        let middle = max(1, samples.count / 2)
        guard
            let cut = (middle..<samples.count).first(where: beginsGroup) ?? (1..<middle).last(where: beginsGroup)
        else { return nil }
        var first = DeliveryBatch(samples: Array(samples[..<cut]), base: base)
        var second = DeliveryBatch(samples: Array(samples[cut...]), base: base)
        first.mayHaveArrived = mayHaveArrived
        second.mayHaveArrived = mayHaveArrived
        first.isProbe = isProbe
        return (first, second)
    }
}

/// A part of all series, by their hash. One request of it is under way at a time, so the samples of a series arrive in
/// order.
struct DeliveryShard: Sendable {
    /// The batch that is tried, and the parts that follow it if it was split.
    var batches = Deque<DeliveryBatch>()
    var isInFlight = false
    /// The start of the request that is under way, or of the last one.
    var begunAt: MonotonicTime?
    /// The number of failed requests in a row.
    var failures = 0
    var notBefore: MonotonicTime?
    /// The request that is under way takes long, or a reading came before its answer.
    var isLate = false

    /// True if the last request failed, or is late.
    var isFailing: Bool { failures > 0 || isLate }
}
