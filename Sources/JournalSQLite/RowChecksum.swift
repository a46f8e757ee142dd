import Wire

/// The CRC-32C that stands beside each row: over what it is, its number and its bytes, so that a row that is whole but
/// in the wrong place is found as well.
///
/// The kind is one byte, number and count eight bytes each, the least significant first; then the bytes.
enum RowChecksum {
    /// What a row is; written to disk, never renumbered.
    enum Kind: UInt8 {
        case events = 1
        case inputs = 2
        case outbox = 3
        case ids = 4
        case shipped = 5
        case meta = 6
        case deadLetter = 7
    }

    static func of(_ kind: Kind, number: Int64 = 0, count: Int64 = 0, _ bytes: Span<UInt8>) -> Int64 {
        var head = InlineArray<17, UInt8>(repeating: 0)
        head[0] = kind.rawValue
        for place in 0..<8 {
            head[1 + place] = UInt8(truncatingIfNeeded: number >> Int64(8 * place))
            head[9 + place] = UInt8(truncatingIfNeeded: count >> Int64(8 * place))
        }
        return Int64(Checksum.crc32c(bytes, after: Checksum.crc32c(head.span)))
    }
}
