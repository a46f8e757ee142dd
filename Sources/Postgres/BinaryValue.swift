/// A parameter of a statement, or a value of a row, in the binary form of the wire. Bytes are not encoded as text.
package enum BinaryValue: Sendable, Equatable {
    case null
    /// A number of the type `bigint`; a read one may also be `integer` or `smallint`.
    case integer(Int64)
    /// A text without a zero character.
    case text(String)
    case bytes([UInt8])
    case flag(Bool)
    /// An array of numbers. It is only sent.
    case integers([Int64])
    /// An array of bytes. It is only sent.
    case byteStrings([[UInt8]])

    /// Reads a value that the server returned for a column of this type. A type that is not known gives its bytes.
    init(_ bytes: UnsafeRawBufferPointer, type: PostgresValue.TypeNumber) {
        switch type {
        case PostgresValue.TypeID.int2, PostgresValue.TypeID.int4, PostgresValue.TypeID.int8:
            // The first byte has the sign.
            var number: Int64 = bytes.first.map { $0 >= 0x80 ? -1 : 0 } ?? 0
            for byte in bytes { number = number << 8 | Int64(byte) }
            self = .integer(number)
        case PostgresValue.TypeID.bool: self = .flag(bytes.first == 1)
        case PostgresValue.TypeID.text: self = .text(String(decoding: bytes, as: UTF8.self))
        default: self = .bytes(Array(bytes))
        }
    }

    /// The number; nil for any other value.
    package var asInteger: Int64? { if case .integer(let number) = self { number } else { nil } }
    /// The text; nil for any other value.
    package var asText: String? { if case .text(let text) = self { text } else { nil } }
    /// The bytes; nil for any other value.
    package var asBytes: [UInt8]? { if case .bytes(let bytes) = self { bytes } else { nil } }
    /// The truth value; nil for any other value.
    package var asFlag: Bool? { if case .flag(let flag) = self { flag } else { nil } }

    /// The type that the value is sent with.
    package var type: PostgresValue.TypeNumber {
        switch self {
        case .null: PostgresValue.TypeID.inferred
        case .integer: PostgresValue.TypeID.int8
        case .text: PostgresValue.TypeID.text
        case .bytes: PostgresValue.TypeID.bytea
        case .flag: PostgresValue.TypeID.bool
        case .integers: PostgresValue.TypeID.int8Array
        case .byteStrings: PostgresValue.TypeID.byteaArray
        }
    }

    /// The approximate number of bytes on the wire.
    package var size_bytes: Int {
        switch self {
        case .null, .flag, .integer: 8
        case .text(let text): text.utf8.count
        case .bytes(let bytes): bytes.count
        case .integers(let numbers): numbers.count * 12
        case .byteStrings(let strings): strings.reduce(0) { $0 + $1.count + 4 }
        }
    }

    /// Appends the bytes on the wire.
    func append(to bytes: inout [UInt8]) {
        switch self {
        case .null: break
        case .integer(let number): Self.append(number, places: 8, to: &bytes)
        case .text(let text): bytes.append(contentsOf: text.utf8)
        case .bytes(let content): bytes.append(contentsOf: content)
        case .flag(let flag): bytes.append(flag ? 1 : 0)
        case .integers(let numbers):
            Self.appendHead(of: numbers.count, type: PostgresValue.TypeID.int8, to: &bytes)
            for number in numbers {
                Self.append(8, places: 4, to: &bytes)
                Self.append(number, places: 8, to: &bytes)
            }
        case .byteStrings(let strings):
            Self.appendHead(of: strings.count, type: PostgresValue.TypeID.bytea, to: &bytes)
            for string in strings {
                Self.append(Int64(string.count), places: 4, to: &bytes)
                bytes.append(contentsOf: string)
            }
        }
    }

    /// An array begins with its dimensions, a flag for NULL, the type of its elements, their number, and the lowest index.
    /// https://github.com/postgres/postgres/blob/REL_15_STABLE/src/backend/utils/adt/arrayfuncs.c (`array_send`)
    private static func appendHead(of count: Int, type: PostgresValue.TypeNumber, to bytes: inout [UInt8]) {
        append(count == 0 ? 0 : 1, places: 4, to: &bytes)
        append(0, places: 4, to: &bytes)
        append(Int64(type), places: 4, to: &bytes)
        guard count > 0 else { return }
        append(Int64(count), places: 4, to: &bytes)
        append(1, places: 4, to: &bytes)
    }

    private static func append(_ number: Int64, places: Int, to bytes: inout [UInt8]) {
        for place in (0..<places).reversed() { bytes.append(UInt8(truncatingIfNeeded: number >> Int64(8 * place))) }
    }
}
