import Wire

/// The CRC-32C that stands beside each row of a log. It covers the kind, two numbers and the bytes, so a whole row in the
/// wrong place is found, too.
enum LogChecksum {
    /// The kind of a row. Its number is stored and never changes.
    enum Kind: UInt8 {
        case events = 1
        case inputs = 2
        case outbox = 3
        case ids = 4
        case shipped = 5
        case snapshot = 6
        case deadLetter = 7
    }

    /// The kind is one byte. The numbers have eight bytes each, the least significant first. The bytes follow.
    static func of(_ kind: Kind, number: Int64 = 0, count: Int64 = 0, _ bytes: [UInt8]) -> Int64 {
        var head: [UInt8] = [kind.rawValue]
        for value in [number, count] {
            for place in 0..<8 { head.append(UInt8(truncatingIfNeeded: value >> Int64(8 * place))) }
        }
        return Int64(Checksum.crc32c(bytes.span, after: Checksum.crc32c(head.span)))
    }
}
