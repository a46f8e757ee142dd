// Variable-length integers of protobuf. https://protobuf.dev/programming-guides/encoding/#varints

extension [UInt8] {
    /// Appends a number as a varint: seven bits in each byte, the lowest first.
    package mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }
}

extension UInt64 {
    /// The number of bytes that its varint takes.
    package var varintLength: Int { self == 0 ? 1 : (UInt64.bitWidth - leadingZeroBitCount + 6) / 7 }
}
