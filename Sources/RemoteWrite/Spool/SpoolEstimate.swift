package import Platform

/// The time for which samples wait while their receiver does not answer, before the oldest are lost: on disk, and in
/// memory where the disk cannot be used.
///
/// It is made of what is configured, of the samples of one reading, and of the room on the disk now. It assumes that
/// every reading has all series, so with `IDLE_PUSH_INTERVAL` it is more.
package struct SpoolEstimate: Sendable, Equatable {
    /// What ends the wait first.
    package enum Bound: Sendable, Equatable, CaseIterable {
        case age
        case bytes
        /// The file system has less room than the spool may take.
        case disk
    }

    /// What the disk holds.
    package struct Disk: Sendable, Equatable {
        package let lasts: Duration
        package let bound: Bound

        package init(lasts: Duration, bound: Bound) {
            self.lasts = lasts
            self.bound = bound
        }
    }

    /// The samples of a reading, where nobody knows: those of a busy deployment.
    package static let usualSamples = 10_000

    /// The samples of one reading that were assumed.
    package let samples: Int
    package let interval: Duration
    /// Nil if there is no spool.
    package let disk: Disk?
    package let memory: Duration

    /// - Parameters:
    ///   - spool: the bounds of the spool; nil if there is none.
    ///   - room: the bytes that the file system lets the spool have; nil if that is not known.
    ///   - samples: the samples of one reading.
    package init(
        _ delivery: DeliverySettings, spool: (maxBytes: ByteCount, maxAge: Duration)?, room: ByteCount?, samples: Int,
        every interval: Duration
    ) {
        let samples = max(1, samples)
        self.samples = samples
        self.interval = interval
        memory = delivery.outage(samples: samples, every: interval)
        disk = spool.map { spool in
            let bytes = min(spool.maxBytes, room ?? spool.maxBytes)
            let held = interval * (bytes.bytes / (samples * DeliverySettings.packedSample_bytes))
            if held >= spool.maxAge { return Disk(lasts: spool.maxAge, bound: .age) }
            return Disk(lasts: held, bound: bytes < spool.maxBytes ? .disk : .bytes)
        }
    }

    /// The samples of one reading of these series, with that of `up`.
    /// - Parameter rows: the samples of each family for one set of label values. A family that is not in it has one.
    package static func samples(of series: [SeriesKey], rows: [String: Int]) -> Int {
        series.reduce(1) { $0 + (rows[$1.family] ?? 1) }
    }
}
