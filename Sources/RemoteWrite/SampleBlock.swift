package import Wire

/// One sample that waits, without the labels of its series.
package struct QueuedSample: Sendable, Equatable {
    /// The row of its series in the series table.
    package internal(set) var row: UInt32
    /// Its time in milliseconds after the base time of its block; negative for an earlier sample.
    package let offset_ms: Int32
    /// The bits of its value.
    package let bits: UInt64

    /// The row of a sample that a shard has taken out of a block that others still read. Once its fate is known, the row
    /// may belong to another series.
    static let taken = UInt32.max

    package var isStale: Bool { bits == SampleValue.stale }
}

/// The samples of one reading, or of several. They are sorted by row, and those of one row by time.
///
/// A block holds no labels and no encoding, so either message can be made of it.
package struct SampleBlock: Sendable, Equatable {
    package enum Limits {
        /// The longest time between two samples of one reading. Offsets have room for twice as much.
        package static let span = Duration.seconds(10 * 86_400)
    }

    /// The time that the offsets of the samples are relative to: that of the newest reading in it.
    package internal(set) var base = Timestamp(milliseconds: 0)
    package internal(set) var samples: [QueuedSample] = []

    package init() {}

    /// The memory of its samples.
    package var bytes: Int { samples.count * MemoryLayout<QueuedSample>.stride }

    /// Empties the block and keeps its memory.
    mutating func reset(base: Timestamp) {
        self.base = base
        samples.removeAll(keepingCapacity: true)
    }

    /// Appends a sample. Its row must not be lower than that of the last one.
    mutating func append(row: Int, at time: Timestamp, _ bits: UInt64) {
        samples.append(
            QueuedSample(
                row: UInt32(row), offset_ms: Int32(truncatingIfNeeded: time.milliseconds - base.milliseconds),
                bits: bits))
    }

    /// Replaces the content by one sample for each of these rows.
    package mutating func fill(rows: ClosedRange<Int>, _ value: Double, at time: Timestamp) {
        reset(base: time)
        for row in rows { append(row: row, at: time, SampleValue.bits(value)) }
    }

    package func time(of sample: QueuedSample) -> Timestamp { base + .milliseconds(Int64(sample.offset_ms)) }

    /// Makes one block of several, each later than the one before. A stable counting sort by row keeps the samples of
    /// each row in the order of time. It takes `O(samples + rows)`.
    ///
    /// - Parameters:
    ///   - rowCount: more than the highest row.
    ///   - places: memory that is reused.
    mutating func merge(_ blocks: [SampleBlock], rowCount: Int, places: inout [Int]) {
        reset(base: blocks.last?.base ?? base)
        places.removeAll(keepingCapacity: true)
        places.append(contentsOf: repeatElement(0, count: rowCount + 1))
        var count = 0
        for block in blocks {
            count += block.samples.count
            for sample in block.samples { places[Int(sample.row) + 1] += 1 }
        }
        for row in 0..<rowCount { places[row + 1] += places[row] }
        samples.append(contentsOf: repeatElement(QueuedSample(row: 0, offset_ms: 0, bits: 0), count: count))
        for block in blocks {
            let shift = Int32(truncatingIfNeeded: block.base.milliseconds - base.milliseconds)
            for sample in block.samples {
                let place = places[Int(sample.row)]
                places[Int(sample.row)] += 1
                samples[place] = QueuedSample(row: sample.row, offset_ms: sample.offset_ms + shift, bits: sample.bits)
            }
        }
    }
}
