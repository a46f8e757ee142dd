package import Wire

/// A block that waits in a fraction of its memory: a few bytes a sample. It is also what a spool keeps.
///
/// The rows are written as differences, the times as differences, and the values in eight planes of one byte each. Most
/// values are whole numbers, whose low bytes are all zero. Snappy then finds long repetitions.
package struct PackedBlock: Sendable, Equatable {
    package enum Limits {
        /// The most bytes before compression, so that damaged numbers cannot ask for any amount of memory. It is more
        /// than a reading of 10,000,000 series takes.
        package static let raw_bytes = 256 << 20
    }

    /// The time that the offsets of the samples are relative to.
    package let base: Timestamp
    /// The number of samples.
    package let count: Int
    /// The compressed samples.
    package let body: [UInt8]
    /// The times of the oldest and the newest sample; `base` if there is none.
    package let oldest: Timestamp
    package let newest: Timestamp

    /// The memory that it takes.
    package var bytes: Int { body.count + 64 }

    /// Makes a block of what was stored of another. `unpack` finds out whether the parts belong together.
    package init(base: Timestamp, count: Int, oldest: Timestamp, newest: Timestamp, body: [UInt8]) {
        self.base = base
        self.count = count
        self.oldest = oldest
        self.newest = newest
        self.body = body
    }

    /// - Parameters:
    ///   - raw: memory that is reused.
    ///   - compressed: memory that is reused.
    package init(_ block: SampleBlock, raw: inout [UInt8], compressed: inout [UInt8]) {
        base = block.base
        count = block.samples.count
        raw.removeAll(keepingCapacity: true)
        var row: UInt32 = 0
        for sample in block.samples {
            raw.appendVarint(Self.zigzag(Int64(sample.row) - Int64(row)))
            row = sample.row
        }
        var offset: Int32 = 0
        var (oldest, newest) = (block.samples.first?.offset_ms ?? 0, block.samples.first?.offset_ms ?? 0)
        for sample in block.samples {
            raw.appendVarint(Self.zigzag(Int64(sample.offset_ms) - Int64(offset)))
            offset = sample.offset_ms
            oldest = min(oldest, offset)
            newest = max(newest, offset)
        }
        self.oldest = base + .milliseconds(Int64(oldest))
        self.newest = base + .milliseconds(Int64(newest))
        for shift in stride(from: 0 as UInt64, to: 64, by: 8) {
            for sample in block.samples { raw.append(UInt8(truncatingIfNeeded: sample.bits >> shift)) }
        }
        let size = Snappy.compress(raw[...], into: &compressed)
        body = Array(compressed[..<size])
    }

    /// Reads the block back. Returns false, and leaves `block` empty, if the bytes are damaged.
    package func unpack(into block: inout SampleBlock) -> Bool {
        block.reset(base: base)
        // A sample takes ten bytes at least.
        guard let raw = Snappy.decompress(body, limit: Limits.raw_bytes), count >= 0, count <= raw.count / 10 else {
            return false
        }
        var position = 0
        var rows: [UInt32] = []
        rows.reserveCapacity(count)
        var row: Int64 = 0
        for _ in 0..<count {
            guard let step = Self.varint(raw, &position) else { return false }
            row &+= Self.signed(step)
            guard let exact = UInt32(exactly: row) else { return false }
            rows.append(exact)
        }
        var offsets: [Int32] = []
        offsets.reserveCapacity(count)
        var offset: Int64 = 0
        for _ in 0..<count {
            guard let step = Self.varint(raw, &position) else { return false }
            offset &+= Self.signed(step)
            guard let exact = Int32(exactly: offset) else { return false }
            offsets.append(exact)
        }
        guard raw.count - position == 8 * count else { return false }
        block.samples.reserveCapacity(count)
        for index in 0..<count {
            var bits: UInt64 = 0
            for plane in 0..<8 { bits |= UInt64(raw[position + plane * count + index]) << UInt64(8 * plane) }
            block.samples.append(QueuedSample(row: rows[index], offset_ms: offsets[index], bits: bits))
        }
        return true
    }

    /// A number as one without a sign: small numbers stay small.
    /// https://protobuf.dev/programming-guides/encoding/#signed-ints
    private static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: value << 1 ^ value >> 63) }

    private static func signed(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    private static func varint(_ bytes: [UInt8], _ position: inout Int) -> UInt64? {
        var value: UInt64 = 0
        for shift in stride(from: 0 as UInt64, to: 64, by: 7) {
            guard position < bytes.count else { return nil }
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
        }
        return nil
    }
}
