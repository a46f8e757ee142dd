/// The number that stands for a participant's identity in the database. Specification, *Database*.
enum UserID {
    /// Returns the identity itself if it is a canonical non-negative decimal of 63 bits. Otherwise returns the start of
    /// its hash with the sign bit set, so that the two kinds never collide.
    ///
    /// - Parameter digest: returns the first 8 bytes of the SHA-256 of the text, big-endian.
    static func of(_ identity: String, digest: (String) -> UInt64) -> Int64 {
        canonicalNumber(identity) ?? Int64(bitPattern: digest(identity) | 1 << 63)
    }

    /// Accepts `0` and `42`, but not `007`, `+1` or `-0`.
    private static func canonicalNumber(_ identity: String) -> Int64? {
        let digits = identity.utf8
        guard let first = digits.first, digits.count <= 19 else { return nil }
        if first == UInt8(ascii: "0") && digits.count > 1 { return nil }
        var number: Int64 = 0
        for digit in digits {
            guard (0x30...0x39).contains(digit) else { return nil }
            let (tenfold, isTooLarge) = number.multipliedReportingOverflow(by: 10)
            let (sum, overflow) = tenfold.addingReportingOverflow(Int64(digit - 0x30))
            if isTooLarge || overflow { return nil }
            number = sum
        }
        return number
    }
}
