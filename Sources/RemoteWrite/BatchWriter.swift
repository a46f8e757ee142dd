import Wire

/// Puts time series one after another into request bodies of bounded size.
///
/// Warm, it allocates nothing but what the queue keeps, and that is used again once `recycle` gave it back.
package struct BatchWriter {
    /// Where a time series begins, and how much came before it.
    private struct Mark {
        let offset: Int
        let row: Int
        let samples: Int
        /// Whether a request may begin here: not between the rows of one histogram.
        let beginsGroup: Bool
    }

    enum Limits {
        /// Bodies kept for later batches.
        static let spareBodies = 16
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
    private var finished: [Batch] = []

    package init(limits: BatchLimits = .init()) { self.limits = limits }

    /// Ends the batch where it has no room for that much more: what is appended next stays in one request.
    mutating func makeRoom(samples: Int, bytes: Int) {
        if self.samples + samples > limits.samples || raw.count + bytes > limits.decoded_bytes { flush() }
        beginsGroup = true
    }

    /// Appends one time series: its labels as they stand in the message, then up to two samples.
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

    /// Takes the batches that are complete, after ending the current one.
    package mutating func finish(into batches: inout [Batch]) {
        flush()
        batches.append(contentsOf: finished)
        finished.removeAll(keepingCapacity: true)
    }

    /// Takes back a body that nobody needs any more.
    package mutating func recycle(_ body: consuming [UInt8]) {
        if spare.count < Limits.spareBodies { spare.append(body) }
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

    /// Compresses some of the series; in halves where the whole is too large. A single one, or a single histogram, is
    /// never too large to try.
    private mutating func compress(_ part: Range<Int>) {
        let start = marks[part.lowerBound].offset
        let end = part.upperBound < marks.count ? marks[part.upperBound].offset : raw.count
        let size = Snappy.compress(raw[start..<end], into: &scratch)
        if size > limits.compressed_bytes, let middle = middle(of: part) {
            compress(part.lowerBound..<middle)
            compress(middle..<part.upperBound)
            return
        }
        var body = spare.popLast() ?? []
        body.removeAll(keepingCapacity: true)
        body.append(contentsOf: scratch[..<size])
        let after = part.upperBound < marks.count ? marks[part.upperBound].samples : samples
        finished.append(
            Batch(
                sequence: sequence, body: body, samples: after - marks[part.lowerBound].samples,
                rows: marks[part.lowerBound].row..<(marks[part.upperBound - 1].row + 1), oldest: oldest,
                newest: newest))
    }

    /// Where two halves meet, as near to the middle as the rows of a histogram allow; nil where nothing can be cut.
    private func middle(of part: Range<Int>) -> Int? {
        let half = part.lowerBound + part.count / 2
        return (half..<part.upperBound).first { marks[$0].beginsGroup && $0 > part.lowerBound }
            ?? (part.lowerBound..<half).last { marks[$0].beginsGroup && $0 > part.lowerBound }
    }
}

/// A timestamp whose bytes were made once for all samples that carry it.
struct EncodedTime {
    let timestamp: Timestamp
    let varint: [UInt8]

    init(_ timestamp: Timestamp) {
        self.timestamp = timestamp
        var bytes: [UInt8] = []
        bytes.appendVarint(UInt64(bitPattern: timestamp.milliseconds))
        varint = bytes
    }
}

/// One sample, ready to be written.
struct EncodedSample {
    let bits: UInt64
    let time: EncodedTime

    /// With its tag and length.
    var size: Int { 2 + 9 + 1 + time.varint.count }

    /// A value of 0.0 is written like any other, so that all samples have the same size.
    func append(to raw: inout [UInt8]) {
        raw.append(Field.seriesSamples)
        raw.append(UInt8(10 + time.varint.count))
        raw.append(Field.sampleValue)
        raw.appendFixed64(bits)
        raw.append(Field.sampleTimestamp)
        raw.append(contentsOf: time.varint)
    }
}
