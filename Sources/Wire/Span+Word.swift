extension Span where Element == UInt8 {
    /// Returns the eight bytes from `offset` on as one number, the first byte lowest. Traps if fewer than eight are
    /// left.
    ///
    /// This is the only raw load of the module. It is safe because the check before it keeps it inside the span, and
    /// because eight bytes of any content are a valid `UInt64`.
    @inline(always)
    func word(at offset: Int) -> UInt64 {
        precondition(offset >= 0 && offset &+ 8 <= count, "eight bytes must be left")
        let raw = unsafe self.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: UInt64.self)
        return UInt64(littleEndian: raw)
    }

    /// Returns the offset of the first byte from `start` on that ends a run of plain text in a JSON string: a quote, a
    /// backslash or a control character. Returns `count` if there is none.
    func endOfPlainText(from start: Int) -> Int {
        let ones: UInt64 = 0x0101_0101_0101_0101
        let highs: UInt64 = 0x8080_8080_8080_8080
        var offset = start
        while offset &+ 8 <= count {
            let eight = word(at: offset)
            // Each term raises the high bit of a byte that is zero after the xor, or that is below a blank. A borrow
            // can raise wrong bits only above the first right one, and only the first is looked at.
            let quote = eight ^ (ones &* 0x22)
            let backslash = eight ^ (ones &* 0x5C)
            let found =
                ((quote &- ones) & ~quote | (backslash &- ones) & ~backslash | (eight &- ones &* 0x20) & ~eight) & highs
            if found != 0 { return offset &+ found.trailingZeroBitCount >> 3 }
            offset &+= 8
        }
        while offset < count {
            let byte = self[offset]
            if byte == 0x22 || byte == 0x5C || byte < 0x20 { return offset }
            offset &+= 1
        }
        return count
    }
}
