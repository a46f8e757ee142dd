/// Reads what `MessageWriter` wrote, field by field, in whatever order and with whatever unknown fields between.
///
/// ```
/// while let field = try reader.next() {
///     switch field {
///     case 1: name = try reader.string()
///     default: try reader.skip()
///     }
/// }
/// ```
/// After `next`, exactly one value is read or skipped. Never reads outside its bytes, whatever they hold. A nested reader
/// shares the bytes.
package struct MessageReader: Sendable {
    private let bytes: [UInt8]
    private var position: Int
    private let end: Int
    private var wireType: MessageWriter.WireType?

    package init(_ bytes: [UInt8]) { self.init(bytes, 0..<bytes.count) }

    private init(_ bytes: [UInt8], _ range: Range<Int>) {
        self.bytes = bytes
        position = range.lowerBound
        end = range.upperBound
    }

    /// Returns the number of the next field; nil at the end.
    package mutating func next() throws(MessageFault) -> Int? {
        if position == end { return nil }
        let tag = try varint()
        guard let wireType = MessageWriter.WireType(rawValue: tag & 7), tag >> 3 > 0, tag >> 3 <= 1 << 29 else {
            throw MessageFault("a field has no known form")
        }
        self.wireType = wireType
        return Int(tag >> 3)
    }

    // MARK: Values

    /// Reads an unsigned number (`uint64`).
    package mutating func uint64() throws(MessageFault) -> UInt64 {
        try expect(.varint)
        return try varint()
    }

    /// Reads a signed number (`sint64`).
    package mutating func int64() throws(MessageFault) -> Int64 {
        let value = try uint64()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    package mutating func int() throws(MessageFault) -> Int { Int(try int64()) }

    package mutating func bool() throws(MessageFault) -> Bool { try uint64() != 0 }

    /// Reads a number of eight bytes (`fixed64`).
    package mutating func fixed64() throws(MessageFault) -> UInt64 {
        try expect(.eightBytes)
        guard end - position >= 8 else { throw MessageFault("a number is cut off") }
        var value: UInt64 = 0
        for index in 0..<8 { value |= UInt64(bytes[position + index]) << UInt64(8 * index) }
        position += 8
        return value
    }

    package mutating func double() throws(MessageFault) -> Double { Double(bitPattern: try fixed64()) }

    /// Reads a text. Bytes that are not valid UTF-8 become U+FFFD.
    package mutating func string() throws(MessageFault) -> String {
        let range = try length()
        return String(decoding: bytes[range], as: UTF8.self)
    }

    /// Reads a field's bytes into a copy.
    package mutating func byteArray() throws(MessageFault) -> [UInt8] { Array(bytes[try length()]) }

    /// Returns a reader of the message in this field.
    package mutating func message() throws(MessageFault) -> MessageReader { MessageReader(bytes, try length()) }

    /// Passes over the value of this field.
    package mutating func skip() throws(MessageFault) {
        switch wireType {
        case .varint: _ = try uint64()
        case .eightBytes: _ = try fixed64()
        case .bytes: _ = try length()
        case nil: throw MessageFault("there is no field to skip")
        }
    }

    // MARK: Bytes

    /// A copy of the bytes that were not read yet.
    package var rest: [UInt8] { Array(bytes[position..<end]) }

    private mutating func expect(_ wanted: MessageWriter.WireType) throws(MessageFault) {
        guard wireType == wanted else { throw MessageFault("a field has another form") }
        wireType = nil
    }

    private mutating func length() throws(MessageFault) -> Range<Int> {
        try expect(.bytes)
        let count = try varint()
        guard count <= UInt64(end - position) else { throw MessageFault("a field is cut off") }
        defer { position += Int(count) }
        return position..<(position + Int(count))
    }

    private mutating func varint() throws(MessageFault) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while position < end, shift < 64 {
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        throw MessageFault("a number has no end")
    }
}

/// An error of `MessageReader`: bytes are not the message that they should be.
package struct MessageFault: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
    package init(_ description: String) { self.description = description }
}
