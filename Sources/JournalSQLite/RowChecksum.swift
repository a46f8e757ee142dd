import Wire

/// The CRC-32C that stands beside each row. It covers the kind, the number, the count and the bytes, so a whole row in
/// the wrong place is found, too.
///
/// The kind is one byte. The number and the count have eight bytes each, the least significant first. The bytes follow.
enum RowChecksum {
    /// The kind of a row. Its number is on disk and never changes.
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
