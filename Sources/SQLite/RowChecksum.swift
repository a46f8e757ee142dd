import Wire

/// The CRC-32C that stands beside each row. It covers the kind, the number, the count and the bytes, so a whole row in
/// the wrong place is found, too.
///
/// The kind is one byte. The number and the count have eight bytes each, the least significant first. The bytes follow.
package enum RowChecksum {
    /// - Parameter kind: tells the rows of one table of a file from those of the others. It is on disk.
    package static func of(kind: UInt8, number: Int64 = 0, count: Int64 = 0, _ bytes: Span<UInt8>) -> Int64 {
        var head = InlineArray<17, UInt8>(repeating: 0)
        head[0] = kind
        for place in 0..<8 {
            head[1 + place] = UInt8(truncatingIfNeeded: number >> Int64(8 * place))
            head[9 + place] = UInt8(truncatingIfNeeded: count >> Int64(8 * place))
        }
        return Int64(Checksum.crc32c(bytes, after: Checksum.crc32c(head.span)))
    }
}
