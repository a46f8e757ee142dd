package import Wire

/// The body of one request, with the facts that are needed about it.
package struct Batch: Sendable, Equatable {
    /// The number of the batch. It rises with every batch that is made. The parts of a split batch share it.
    package let sequence: UInt64
    /// A compressed `WriteRequest`.
    package let body: [UInt8]
    package let samples: Int
    /// The rows of the series table that its series lie in. No series of the batch is outside of them.
    package let rows: Range<Int>
    package let oldest: Timestamp
    package let newest: Timestamp

    package init(
        sequence: UInt64, body: [UInt8], samples: Int, rows: Range<Int>, oldest: Timestamp, newest: Timestamp
    ) {
        self.sequence = sequence
        self.body = body
        self.samples = samples
        self.rows = rows
        self.oldest = oldest
        self.newest = newest
    }
}

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
