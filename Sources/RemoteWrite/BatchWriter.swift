import Wire

/// Writes time series one after another into request bodies of bounded size.
///
/// When warm, it allocates only the bodies, and reuses those that `recycle` gave back.
package struct BatchWriter {
    /// The place where a time series begins, and the number of samples before it.
    private struct Mark {
        let offset: Int
        let row: Int
        let samples: Int
        /// True if a request may begin here. It may not begin between two rows of one histogram.
        let beginsGroup: Bool
    }

    enum Limits {
        /// The bodies that are kept for later batches: twice the number of those of one tick at `MAX_SERIES`.
        static let spareBodies = 64
        /// The most memory of those bodies: as much as all of them have in practice, and little beside the queue.
        static let spareBodies_bytes = 4 << 20
        /// Bodies grow in steps of this size. So a body fits the next batch too, which may compress a little worse.
        static let bodyStep_bytes = 16 << 10
    }

    package var limits: BatchLimits
    package private(set) var sequence: UInt64 = 1
    private var raw: [UInt8] = []
    private var marks: [Mark] = []
    private var samples = 0
    private var beginsGroup = true
    private var oldest = Timestamp(milliseconds: .max)
    private var newest = Timestamp(milliseconds: .min)
    private var scratch: [UInt8] = []
    private var spare: [[UInt8]] = []
    private var spare_bytes = 0
    private var finished: [Batch] = []

    package init(limits: BatchLimits) { self.limits = limits }

    /// Ends the batch if it has no room for this much more. So the series that follow stay in one request.
    mutating func makeRoom(samples: Int, bytes: Int) {
        if self.samples + samples > limits.samples || raw.count + bytes > limits.decoded_bytes { flush() }
        beginsGroup = true
    }

    /// Appends one time series: its encoded labels, then one or two samples.
    mutating func append(
        row: Int, labels: ArraySlice<UInt8>, _ first: EncodedSample?, _ second: EncodedSample
    ) {
        marks.append(Mark(offset: raw.count, row: row, samples: samples, beginsGroup: beginsGroup))
        beginsGroup = false
        let size = labels.count + second.size + (first?.size ?? 0)
        raw.append(Field.requestSeries)
        raw.appendVarint(UInt64(size))
        raw.append(contentsOf: labels)
        if let first {
            first.append(to: &raw)
            note(first)
        }
        second.append(to: &raw)
        note(second)
    }

    private mutating func note(_ sample: EncodedSample) {
        samples += 1
        oldest = min(oldest, sample.time.timestamp)
        newest = max(newest, sample.time.timestamp)
    }

    /// Ends the current batch, and takes all batches that are complete.
    package mutating func finish(into batches: inout [Batch]) {
        flush()
        batches.append(contentsOf: finished)
        finished.removeAll(keepingCapacity: true)
    }

    /// Takes back a body that is no longer needed.
    package mutating func recycle(_ body: consuming [UInt8]) {
        guard spare.count < Limits.spareBodies, spare_bytes + body.capacity <= Limits.spareBodies_bytes else { return }
        spare_bytes += body.capacity
        spare.append(body)
    }

    /// An empty body with room for this many bytes: a recycled one if there is one.
    private mutating func emptyBody(for size: Int) -> [UInt8] {
        var body: [UInt8] = []
        // It takes the last body that is large enough; otherwise the last one, which then grows.
        if let index = spare.lastIndex(where: { $0.capacity >= size }) ?? spare.indices.last {
            spare.swapAt(index, spare.count - 1)
            body = spare.removeLast()
            spare_bytes -= body.capacity
        }
        body.removeAll(keepingCapacity: true)
        if body.capacity < size {
            body.reserveCapacity((size / Limits.bodyStep_bytes + 1) * Limits.bodyStep_bytes)
        }
        return body
    }

    private mutating func flush() {
        if !marks.isEmpty {
            compress(0..<marks.count)
            sequence += 1
        }
        raw.removeAll(keepingCapacity: true)
        marks.removeAll(keepingCapacity: true)
        samples = 0
        oldest = Timestamp(milliseconds: .max)
        newest = Timestamp(milliseconds: .min)
    }

    /// Compresses a part of the series. If the result is too large, each half is compressed by itself. A single series,
    /// or a single histogram, is never cut: it is tried at any size.
    private mutating func compress(_ part: Range<Int>) {
        let start = marks[part.lowerBound].offset
        let end = part.upperBound < marks.count ? marks[part.upperBound].offset : raw.count
        let size = Snappy.compress(raw[start..<end], into: &scratch)
        if size > limits.compressed_bytes, let middle = middle(of: part) {
            compress(part.lowerBound..<middle)
            compress(middle..<part.upperBound)
            return
        }
        var body = emptyBody(for: size)
        body.append(contentsOf: scratch[..<size])
        let after = part.upperBound < marks.count ? marks[part.upperBound].samples : samples
        finished.append(
            Batch(
                sequence: sequence, body: body, samples: after - marks[part.lowerBound].samples,
                rows: marks[part.lowerBound].row..<(marks[part.upperBound - 1].row + 1), oldest: oldest,
                newest: newest))
    }

    /// The place for a cut, as near to the middle as the rows of a histogram allow. Nil if nothing can be cut.
    private func middle(of part: Range<Int>) -> Int? {
        let half = part.lowerBound + part.count / 2
        return (half..<part.upperBound).first { marks[$0].beginsGroup && $0 > part.lowerBound }
            ?? (part.lowerBound..<half).last { marks[$0].beginsGroup && $0 > part.lowerBound }
    }
}

/// A timestamp that is encoded once for all samples with this time.
struct EncodedTime {
    let timestamp: Timestamp
    /// A varint has at most ten bytes. The first `size` of them are used.
    private let bytes: [10 of UInt8]
    let size: Int

    init(_ timestamp: Timestamp) {
        self.timestamp = timestamp
        var bytes = [10 of UInt8](repeating: 0)
        var size = 0
        var rest = UInt64(bitPattern: timestamp.milliseconds)
        while rest >= 0x80 {
            bytes[size] = UInt8(truncatingIfNeeded: rest) | 0x80
            rest >>= 7
            size += 1
        }
        bytes[size] = UInt8(truncatingIfNeeded: rest)
        self.bytes = bytes
        self.size = size + 1
    }

    func append(to out: inout OutputSpan<UInt8>) {
        for index in 0..<size { out.append(bytes[index]) }
    }
}

/// One sample, ready to be written.
struct EncodedSample {
    let bits: UInt64
    let time: EncodedTime

    /// The size of the encoded sample, with its tag and length.
    var size: Int { 2 + 9 + 1 + time.size }

    /// A value of 0.0 is written like any other, so all samples have the same size.
    func append(to raw: inout [UInt8]) {
        raw.append(addingCapacity: size) { (out: inout OutputSpan<UInt8>) in
            out.append(Field.seriesSamples)
            out.append(UInt8(10 + time.size))
            out.append(Field.sampleValue)
            for shift in 0..<UInt64(8) { out.append(UInt8(truncatingIfNeeded: bits >> (8 * shift))) }
            out.append(Field.sampleTimestamp)
            time.append(to: &out)
        }
    }
}
