/// Random ids. 128 random bits make it certain enough that no id comes twice.
package enum RandomID {
    /// 128 random bits: 32 hexadecimal digits in lower case.
    package static func make() -> String { hexadecimal(.random(in: 0 ... .max)) + hexadecimal(.random(in: 0 ... .max)) }

    /// 64 random bits: 16 hexadecimal digits, for ids of which there are few.
    package static func makeShort() -> String { hexadecimal(.random(in: 0 ... .max)) }

    private static func hexadecimal(_ bits: UInt64) -> String {
        let digits = String(bits, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }
}
