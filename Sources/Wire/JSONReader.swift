/// A pull parser for JSON: the caller asks for one value after the other, and the bytes stay where they are.
///
/// The reader keeps only a position; each call is given the same bytes. It builds no tree and allocates only the texts
/// that it returns. It checks skipped values against the grammar of RFC 8259, but not their UTF-8 and not the pairing
/// of their escaped surrogates; it checks both in texts that it returns. `null` is nil everywhere, as in proto3 JSON.
///
/// After a fault the reader cannot be used any further. No input makes it trap. https://www.rfc-editor.org/rfc/rfc8259
package struct JSONReader: Sendable {
    package enum Limits {
        /// The number of containers that may be open at once. LiveKit nests eight deep; with 64, one word remembers the
        /// open ones.
        package static let nesting_max = 64
    }

    /// The number of bytes read so far.
    package private(set) var offset: Int
    private var depth = 0
    /// A container was opened and nothing of it has been read yet, so no comma is due.
    private var atStart = false

    /// Makes a reader that starts at `offset`, where a value must begin.
    package init(at offset: Int = 0) { self.offset = offset }

    // MARK: Containers

    /// Enters an object. Returns false, and passes over the value, if it is `null`.
    package mutating func beginObject(_ bytes: Span<UInt8>) throws(DecodingFault) -> Bool {
        try begin(UInt8(ascii: "{"), bytes)
    }

    /// Enters an array. Returns false, and passes over the value, if it is `null`.
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

    /// Returns the name of the object's next member, whose value must then be read or skipped. Returns nil after the
    /// last one, and leaves the object.
    package mutating func nextKey(_ bytes: Span<UInt8>) throws(DecodingFault) -> JSONName? {
        guard try advance(bytes, closing: UInt8(ascii: "}")) else { return nil }
        let token = try key(bytes)
        guard token.escaped else { return JSONName(bytes, from: token.start, to: token.end) }
        // A key with half a surrogate pair matches nothing, like every unknown key.
        guard let plain = try? token.unescaped(bytes) else { return .unmatched }
        return JSONName(unescaped: plain)
    }

    /// Does the same as `nextKey`, but returns the whole text of a key of any length.
    package mutating func nextKeyText(_ bytes: Span<UInt8>) throws(DecodingFault) -> String? {
        guard try advance(bytes, closing: UInt8(ascii: "}")) else { return nil }
        return try key(bytes).text(bytes)
    }

    /// Returns true if the array has another element, which must then be read or skipped. Returns false after the last
    /// one, and leaves the array.
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

    /// Reads the name of a member and the colon after it.
    private mutating func key(_ bytes: Span<UInt8>) throws(DecodingFault) -> JSONToken {
        guard try peek(bytes) == UInt8(ascii: "\"") else { throw DecodingFault(.unexpected_byte, at: offset) }
        let token = try string(bytes)
        guard try peek(bytes) == UInt8(ascii: ":") else { throw DecodingFault(.unexpected_byte, at: offset) }
        offset += 1
        return token
    }

    // MARK: Values

    /// Reads a string; nil for `null`.
    package mutating func readText(_ bytes: Span<UInt8>) throws(DecodingFault) -> String? {
        guard try peek(bytes) == UInt8(ascii: "\"") else {
            if try readNull(bytes) { return nil }
            throw unfit(bytes)
        }
        return try string(bytes).text(bytes)
    }

    /// Reads an enum value as protojson writes it, by name or by number; nil for `null`.
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

    /// Reads a 64-bit integer as protojson does; nil for `null`. It may be a number or a string that holds one, and may
    /// have an exponent or a fraction as long as its value is whole. A value that 64 bits cannot hold is a fault.
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

    /// Reads a number, never a string, rounded down and clamped to 64 bits; nil for `null`.
    package mutating func readFloor(_ bytes: Span<UInt8>) throws(DecodingFault) -> Int64? {
        if try readNull(bytes) { return nil }
        return try readNumber(bytes).floor
    }

    /// Reads a number, rounded down and clamped to 64 bits. A value of any other type is passed over, and is nil.
    package mutating func readFloorIfNumber(_ bytes: Span<UInt8>) throws(DecodingFault) -> Int64? {
        switch try peek(bytes) {
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try readNumber(bytes).floor
        default:
            try skip(bytes)
            return nil
        }
    }

    /// Reads a number of any form, never a string; nil for `null`. It allocates.
    package mutating func readDouble(_ bytes: Span<UInt8>) throws(DecodingFault) -> Double? {
        if try readNull(bytes) { return nil }
        let number = try readNumber(bytes)
        // A number that no double can hold is infinite.
        let text = String(decoding: (number.start..<number.end).map { bytes[$0] }, as: UTF8.self)
        return Double(text) ?? .nan
    }

    /// Reads `true` or `false`; nil for `null`.
    package mutating func readBoolean(_ bytes: Span<UInt8>) throws(DecodingFault) -> Bool? {
        switch try peek(bytes) {
        case UInt8(ascii: "t"), UInt8(ascii: "f"):
            let isTrue = bytes[offset] == UInt8(ascii: "t")
            try literal(bytes)
            return isTrue
        default:
            if try readNull(bytes) { return nil }
            throw unfit(bytes)
        }
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

    /// Passes over a `null`. Returns false if another value comes next.
    package mutating func readNull(_ bytes: Span<UInt8>) throws(DecodingFault) -> Bool {
        guard try peek(bytes) == UInt8(ascii: "n") else { return false }
        try literal(bytes)
        return true
    }

    /// Passes over a value of any type.
    package mutating func skip(_ bytes: Span<UInt8>) throws(DecodingFault) {
        // One bit for each container that was opened here, the innermost in the lowest bit: 1 is an object.
        var open: UInt64 = 0
        var level = 0
        repeat {
            let byte = try peek(bytes)
            switch byte {
            case UInt8(ascii: "\""): _ = try string(bytes)
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                guard depth + level < Limits.nesting_max else { throw DecodingFault(.nested_too_deeply, at: offset) }
                offset += 1
                // In ASCII each closing bracket comes two after its opening one.
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
            // A value has ended; the containers around it may end, too.
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

    /// Returns the next byte that is not blank, without passing over it.
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

    /// Passes over the string whose opening quote comes next.
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

    /// Passes over `true`, `false` or `null`.
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

    /// Returns the fault for a next value that is not of the type that was asked for.
    private func unfit(_ bytes: Span<UInt8>) -> DecodingFault {
        switch bytes[offset] {
        case UInt8(ascii: "\""), UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "-"), UInt8(ascii: "t"),
            UInt8(ascii: "f"), UInt8(ascii: "0")...UInt8(ascii: "9"):
            DecodingFault(.wrong_type, at: offset)
        default: DecodingFault(.unexpected_byte, at: offset)
        }
    }
}
