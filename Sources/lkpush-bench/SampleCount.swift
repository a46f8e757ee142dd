import RemoteWrite

/// Counts the samples in the body of a remote-write request, without reading their labels.
/// https://protobuf.dev/programming-guides/encoding/
enum SampleCount {
    /// The most bytes of a body that is not compressed: far beyond what receivers take.
    private static let limit_bytes = 256 << 20

    /// Returns the number of samples in a compressed body; nil if the body cannot be read.
    static func of(_ body: [UInt8], _ message: Message) -> Int? {
        guard let raw = Snappy.decompress(body, limit: limit_bytes) else { return nil }
        let series = message == .v1 ? 1 : 5
        return raw.withUnsafeBufferPointer { bytes in
            var count = 0
            let isWhole = forEachField(of: bytes, 0..<bytes.count) { number, content in
                guard number == series else { return true }
                return forEachField(of: bytes, content) { number, _ in
                    if number == 2 { count += 1 }
                    return true
                }
            }
            return isWhole ? count : nil
        }
    }

    /// Passes the number and the content of each field that has a length. Returns false if the message is malformed, or
    /// if `body` returns false.
    private static func forEachField(
        of bytes: UnsafeBufferPointer<UInt8>, _ range: Range<Int>, _ body: (Int, Range<Int>) -> Bool
    ) -> Bool {
        var position = range.lowerBound
        func varint() -> Int? {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while position < range.upperBound, shift < 64 {
                let byte = bytes[position]
                position += 1
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return Int(truncatingIfNeeded: value) }
                shift += 7
            }
            return nil
        }
        while position < range.upperBound {
            guard let tag = varint() else { return false }
            switch tag & 7 {
            case 0: if varint() == nil { return false }
            case 1: position += 8
            case 2:
                guard let size = varint(), size >= 0, size <= range.upperBound - position else { return false }
                let start = position
                position += size
                if !body(tag >> 3, start..<start + size) { return false }
            case 5: position += 4
            default: return false
            }
        }
        return position == range.upperBound
    }
}
