/// Choices made from the fuzzer's bytes; when they are used up, every further choice is the first one.
struct Bytes {
    private var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) { rest = bytes[...] }

    var isEmpty: Bool { rest.isEmpty }

    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    /// From 0 to `limit` - 1.
    mutating func below(_ limit: Int) -> Int { limit < 2 ? 0 : Int(byte()) % limit }

    mutating func bool() -> Bool { byte() & 1 == 1 }

    mutating func one<Element>(of choices: [Element]) -> Element { choices[below(choices.count)] }

    mutating func word() -> UInt64 { (0..<8).reduce(0) { value, _ in value << 8 | UInt64(byte()) } }

    /// Any number, small ones often.
    mutating func integer() -> Int64 {
        let kind = byte()
        return kind < 128 ? Int64(kind) : kind < 192 ? Int64(byte()) << 8 | Int64(byte()) : Int64(bitPattern: word())
    }

    mutating func double() -> Double {
        let kind = byte()
        return kind < 64 ? Double(kind) : Double(bitPattern: word())
    }

    /// Bytes up to the next 0xFF, which is in no UTF-8, repaired; a length byte would make mutations useless.
    mutating func text() -> String {
        let part = rest.prefix { $0 != 0xFF }
        rest = rest.dropFirst(part.count + 1)
        return String(decoding: part, as: UTF8.self)
    }

    /// All that is left.
    mutating func remainder() -> [UInt8] {
        defer { rest = [] }
        return Array(rest)
    }
}
