import Wire

/// A block that waits in a fraction of its memory: a few bytes a sample.
///
/// The rows are written as differences, the times as differences, and the values in eight planes of one byte each. Most
/// values are whole numbers, whose low bytes are all zero. Snappy then finds long repetitions.
struct PackedBlock: Sendable {
    let base: Timestamp
    let count: Int
    private let body: [UInt8]
    /// The number of bytes before compression.
    private let raw_bytes: Int

    /// The memory that it takes.
    var bytes: Int { body.count + 64 }

    /// - Parameters:
    ///   - raw: memory that is reused.
    ///   - compressed: memory that is reused.
    init(_ block: SampleBlock, raw: inout [UInt8], compressed: inout [UInt8]) {
        base = block.base
        count = block.samples.count
        raw.removeAll(keepingCapacity: true)
        var row: UInt32 = 0
        for sample in block.samples {
            raw.appendVarint(UInt64(sample.row - row))
            row = sample.row
        }
        var offset: Int32 = 0
        for sample in block.samples {
            let step = Int64(sample.offset_ms) - Int64(offset)
            raw.appendVarint(UInt64(bitPattern: step << 1 ^ step >> 63))
            offset = sample.offset_ms
        }
        for shift in stride(from: 0 as UInt64, to: 64, by: 8) {
            for sample in block.samples { raw.append(UInt8(truncatingIfNeeded: sample.bits >> shift)) }
        }
        raw_bytes = raw.count
        let size = Snappy.compress(raw[...], into: &compressed)
        body = Array(compressed[..<size])
    }

    /// Reads the block back. Returns false, and leaves `block` empty, if the bytes are damaged.
    func unpack(into block: inout SampleBlock) -> Bool {
        block.reset(base: base)
        guard let raw = Snappy.decompress(body, limit: raw_bytes) else { return false }
        var position = 0
        var rows: [UInt32] = []
        rows.reserveCapacity(count)
        var row: UInt64 = 0
        for _ in 0..<count {
            guard let step = Self.varint(raw, &position) else { return false }
            row &+= step
            guard row <= UInt32.max else { return false }
            rows.append(UInt32(row))
        }
        var offsets: [Int32] = []
        offsets.reserveCapacity(count)
        var offset: Int64 = 0
        for _ in 0..<count {
            guard let step = Self.varint(raw, &position) else { return false }
            offset &+= Int64(bitPattern: step >> 1) ^ -Int64(bitPattern: step & 1)
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
