/// Reads JSON as a stream of values that the caller asks for, one by one, from bytes that stay where they are.
///
/// The reader keeps a position only; each call is given the same bytes. It builds no tree and allocates only for the
/// text it returns. What the caller skips is checked against the grammar of RFC 8259, but its UTF-8 and the pairing
/// of its escaped surrogates are not; both are checked in text that is returned. `null` is nil everywhere, as in
/// proto3 JSON.
///
/// After a fault the reader is of no further use. No input makes it trap.
/// https://www.rfc-editor.org/rfc/rfc8259
package struct JSONReader: Sendable {
    package enum Limits {
        /// Containers open at once. LiveKit nests eight deep; 64 also lets one word remember what is open.
        package static let nesting_max = 64
    }

    /// Bytes read so far.
    package private(set) var offset: Int
    private var depth = 0
    /// A container was opened and nothing read from it yet: no comma is due.
    private var atStart = false

    /// A reader that starts at `offset`, where a value must begin.
    package init(at offset: Int = 0) { self.offset = offset }

    // MARK: Containers

    /// Enters an object; false, and past it, where there is `null` instead.
    package mutating func beginObject(_ bytes: Span<UInt8>) throws(DecodingFault) -> Bool {
        try begin(UInt8(ascii: "{"), bytes)
    }

    /// Enters an array; false, and past it, where there is `null` instead.
    package mutating func beginArray(_ bytes: Span<UInt8>) throws(DecodingFault) -> Bool {
        try begin(UInt8(ascii: "["), bytes)
    }

    private mutating func begin(_ bracket: UInt8, _ bytes: Span<UInt8>) throws(DecodingFault) -> Bool {
        guard try peek(bytes) == bracket else {
            if try readNull(bytes) { return false }
            throw unfit(bytes)
        }
        guard depth < Limits.nesting_max else { throw DecodingFault(.nested_too_deeply, at: offset) }
        depth += 1
        offset += 1
        atStart = true
        return true
    }

    /// The name of the object's next member, whose value must then be read or skipped; nil at the end, past the brace.
    package mutating func nextKey(_ bytes: Span<UInt8>) throws(DecodingFault) -> JSONName? {
        guard try advance(bytes, closing: UInt8(ascii: "}")) else { return nil }
        let token = try key(bytes)
        guard token.escaped else { return JSONName(bytes, from: token.start, to: token.end) }
        // A key of half a surrogate pair is a strange key, and like all strange keys nobody's.
        guard let plain = try? token.unescaped(bytes) else { return .unmatched }
        return JSONName(unescaped: plain)
    }

    /// As `nextKey`, with the whole text of a key of any length.
    package mutating func nextKeyText(_ bytes: Span<UInt8>) throws(DecodingFault) -> String? {
        guard try advance(bytes, closing: UInt8(ascii: "}")) else { return nil }
        return try key(bytes).text(bytes)
    }

    /// Whether the array has another element, which must then be read or skipped; at the end false, past the bracket.
    package mutating func nextElement(_ bytes: Span<UInt8>) throws(DecodingFault) -> Bool {
        try advance(bytes, closing: UInt8(ascii: "]"))
    }

    private mutating func advance(_ bytes: Span<UInt8>, closing bracket: UInt8) throws(DecodingFault) -> Bool {
        precondition(depth > 0, "a member is read inside a container")
        let byte = try peek(bytes)
        if byte == bracket {
            offset += 1
            depth -= 1
            atStart = false
            return false
        }
        if atStart {
            atStart = false
            return true
        }
        guard byte == UInt8(ascii: ",") else { throw DecodingFault(.unexpected_byte, at: offset) }
        offset += 1
        return true
    }

    /// Reads a member's name and the colon after it.
    private mutating func key(_ bytes: Span<UInt8>) throws(DecodingFault) -> JSONToken {
        guard try peek(bytes) == UInt8(ascii: "\"") else { throw DecodingFault(.unexpected_byte, at: offset) }
        let token = try string(bytes)
        guard try peek(bytes) == UInt8(ascii: ":") else { throw DecodingFault(.unexpected_byte, at: offset) }
        offset += 1
        return token
    }

    // MARK: Values

    /// A string; nil for `null`.
    package mutating func readText(_ bytes: Span<UInt8>) throws(DecodingFault) -> String? {
        guard try peek(bytes) == UInt8(ascii: "\"") else {
            if try readNull(bytes) { return nil }
            throw unfit(bytes)
        }
        return try string(bytes).text(bytes)
    }

    /// An enum value as protojson writes it, by name or by number; nil for `null`.
    package mutating func readEnumeration(_ bytes: Span<UInt8>) throws(DecodingFault) -> JSONEnumeration? {
        switch try peek(bytes) {
        case UInt8(ascii: "\""):
            let token = try string(bytes)
            guard token.escaped else { return .name(JSONName(bytes, from: token.start, to: token.end)) }
            return .name(JSONName(unescaped: try token.unescaped(bytes)))
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            let number = try JSONNumber(bytes, at: offset, end: bytes.count)
            offset = number.end
            return number.integer.map { .number($0) } ?? .name(.unmatched)
        default:
            if try readNull(bytes) { return nil }
            throw unfit(bytes)
        }
    }

    /// A 64-bit integer as protojson reads it: a number or a string that holds one, an exponent or a fraction allowed
    /// as long as the value is whole; nil for `null`. One that 64 bits cannot hold is a fault.
    package mutating func readInteger(_ bytes: Span<UInt8>) throws(DecodingFault) -> Int64? {
        let start: Int
        let number: JSONNumber
        if try peek(bytes) == UInt8(ascii: "\"") {
            let token = try string(bytes)
            start = token.start
            if token.escaped {
                let plain = try token.unescaped(bytes)
                number = try JSONNumber(quoted: plain.span, from: 0, to: plain.count)
            } else {
                number = try JSONNumber(quoted: bytes, from: token.start, to: token.end)
            }
        } else {
            if try readNull(bytes) { return nil }
            start = offset
            number = try readNumber(bytes)
        }
        guard let value = number.integer else { throw DecodingFault(.not_an_integer, at: start) }
        return value
    }

    /// A number, never a string, rounded down to an integer and limited to what 64 bits hold; nil for `null`.
    package mutating func readFloor(_ bytes: Span<UInt8>) throws(DecodingFault) -> Int64? {
        if try readNull(bytes) { return nil }
        return try readNumber(bytes).floor
    }

    private mutating func readNumber(_ bytes: Span<UInt8>) throws(DecodingFault) -> JSONNumber {
        switch try peek(bytes) {
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            let number = try JSONNumber(bytes, at: offset, end: bytes.count)
            offset = number.end
            return number
        default: throw unfit(bytes)
        }
    }

    /// Past a `null`, where there is one; whether there was.
    package mutating func readNull(_ bytes: Span<UInt8>) throws(DecodingFault) -> Bool {
        guard try peek(bytes) == UInt8(ascii: "n") else { return false }
        try literal(bytes)
        return true
    }

    /// Past a value of any type.
    package mutating func skip(_ bytes: Span<UInt8>) throws(DecodingFault) {
        // One bit per container opened here, the innermost lowest: 1 for an object.
        var open: UInt64 = 0
        var level = 0
        repeat {
            let byte = try peek(bytes)
            switch byte {
            case UInt8(ascii: "\""): _ = try string(bytes)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard depth + level < Limits.nesting_max else { throw DecodingFault(.nested_too_deeply, at: offset) }
                offset += 1
                // The closing brackets come two after the opening ones in ASCII.
                if try peek(bytes) == byte + 2 {
                    offset += 1
                } else {
                    level += 1
                    open = open << 1 | (byte == UInt8(ascii: "{") ? 1 : 0)
                    if open & 1 == 1 { _ = try key(bytes) }
                    continue
                }
            case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
                offset = try JSONNumber.end(of: bytes, at: offset, limit: bytes.count)
            default: try literal(bytes)
            }
            // A value has ended; so may the containers around it.
            while level > 0 {
                let byte = try peek(bytes)
                if byte == UInt8(ascii: ",") {
                    offset += 1
                    if open & 1 == 1 { _ = try key(bytes) }
                    break
                }
                guard byte == (open & 1 == 1 ? UInt8(ascii: "}") : UInt8(ascii: "]")) else {
                    throw DecodingFault(.unexpected_byte, at: offset)
                }
                offset += 1
                level -= 1
                open >>= 1
            }
        } while level > 0
    }

    /// Checks that nothing but blanks follows.
    package mutating func finish(_ bytes: Span<UInt8>) throws(DecodingFault) {
        precondition(depth == 0, "all containers are closed at the end")
        while offset < bytes.count {
            guard Self.isBlank(bytes[offset]) else { throw DecodingFault(.trailing_bytes, at: offset) }
            offset += 1
        }
    }

    // MARK: Bytes

    /// The next byte that is not blank, without passing it.
    @inline(__always)
    package mutating func peek(_ bytes: Span<UInt8>) throws(DecodingFault) -> UInt8 {
        while offset < bytes.count {
            let byte = bytes[offset]
            if byte > 0x20 || !Self.isBlank(byte) { return byte }
            offset &+= 1
        }
        throw DecodingFault(.unexpected_end, at: offset)
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
    }

    /// Past the string whose opening quote comes next.
    private mutating func string(_ bytes: Span<UInt8>) throws(DecodingFault) -> JSONToken {
        let start = offset + 1
        var escaped = false
        var at = bytes.endOfPlainText(from: start)
        while at < bytes.count {
            switch bytes[at] {
            case UInt8(ascii: "\""):
                offset = at + 1
                return JSONToken(start: start, end: at, escaped: escaped)
            case UInt8(ascii: "\\"):
                escaped = true
                at = bytes.endOfPlainText(from: try JSONToken.endOfEscape(bytes, at: at))
            default: throw DecodingFault(.unexpected_byte, at: at)
            }
        }
        throw DecodingFault(.unexpected_end, at: bytes.count)
    }

    /// Past `true`, `false` or `null`.
    private mutating func literal(_ bytes: Span<UInt8>) throws(DecodingFault) {
        let word: StaticString
        switch try peek(bytes) {
        case UInt8(ascii: "n"): word = "null"
        case UInt8(ascii: "t"): word = "true"
        case UInt8(ascii: "f"): word = "false"
        default: throw DecodingFault(.unexpected_byte, at: offset)
        }
        for expected in word.description.utf8 {
            guard offset < bytes.count else { throw DecodingFault(.unexpected_end, at: offset) }
            guard bytes[offset] == expected else { throw DecodingFault(.unexpected_byte, at: offset) }
            offset += 1
        }
    }

    /// What to say of the value that comes next and is not the one that was asked for.
    private func unfit(_ bytes: Span<UInt8>) -> DecodingFault {
        switch bytes[offset] {
        case UInt8(ascii: "\""), UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "-"), UInt8(ascii: "t"),
            UInt8(ascii: "f"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            DecodingFault(.wrong_type, at: offset)
        default: DecodingFault(.unexpected_byte, at: offset)
        }
    }
}
