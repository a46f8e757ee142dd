/// An id that nothing has had before: 128 random bits.
package enum RandomID {
    /// 32 digits of hexadecimal, in small letters.
    package static func make() -> String { hexadecimal(.random(in: 0 ... .max)) + hexadecimal(.random(in: 0 ... .max)) }

    /// 16 such digits, where few have to be told apart.
    package static func makeShort() -> String { hexadecimal(.random(in: 0 ... .max)) }

    private static func hexadecimal(_ bits: UInt64) -> String {
        let digits = String(bits, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
