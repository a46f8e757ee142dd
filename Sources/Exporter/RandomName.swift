/// A name that nobody has had before: 128 random bits.
enum RandomName {
    static func make() -> String {
        String(UInt64.random(in: .min ... .max), radix: 16) + "-" + String(UInt64.random(in: .min ... .max), radix: 16)
    }
}
