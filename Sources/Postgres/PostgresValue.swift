package import Storage

/// The form of values on the wire: text in both directions, which every type of column reads.
///
/// Numbers are sent with their type, so that a column of another numeric type converts them as in an assignment. The
/// server infers the type of all others: a text may be meant for a `uuid`, a time for a `timestamp` without zone.
package enum PostgresValue {
    /// The object id of a type.
    package typealias TypeNumber = UInt32

    /// Object ids of built-in types, which never change.
    /// https://github.com/postgres/postgres/blob/REL_15_STABLE/src/include/catalog/pg_type.dat
    package enum TypeID {
        package static let bool: TypeNumber = 16
        package static let int8: TypeNumber = 20
        package static let int2: TypeNumber = 21
        package static let int4: TypeNumber = 23
        package static let text: TypeNumber = 25
        package static let bytea: TypeNumber = 17
        package static let byteaArray: TypeNumber = 1_001
        package static let int8Array: TypeNumber = 1_016
        package static let oid: TypeNumber = 26
        package static let float4: TypeNumber = 700
        package static let float8: TypeNumber = 701
        package static let numeric: TypeNumber = 1_700
        package static let uuid: TypeNumber = 2_950
        /// The server infers the type.
        package static let inferred: TypeNumber = 0
    }

    /// Returns the type that a value is sent with.
    package static func type(of value: SQLValue) -> TypeNumber {
        switch value {
        case .integer: TypeID.int8
        case .double: TypeID.float8
        case .null, .text, .time, .day: TypeID.inferred
        }
    }

    /// Calls `body` with the values as C strings. NULL is a null pointer.
    static func withParameters<Result>(
        _ values: [SQLValue], _ body: (UnsafePointer<UnsafePointer<CChar>?>?) -> Result
    ) -> Result {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(values.count * 32)
        let offsets = values.map { value -> Int? in
            guard let text = value.asText else { return nil }
            let offset = bytes.count
            bytes.append(contentsOf: text.utf8)
            bytes.append(0)
            return offset
        }
        return bytes.withUnsafeBytes { bytes in
            let start = bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            let pointers = offsets.map { offset in offset.flatMap { place in start.map { $0 + place } } }
            return pointers.withUnsafeBufferPointer { body($0.baseAddress) }
        }
    }

    /// False for a text with a zero character, which would end there.
    /// https://www.postgresql.org/docs/15/datatype-character.html
    package static func isSendable(_ value: SQLValue) -> Bool {
        if case .text(let text) = value { return !text.utf8.contains(0) }
        return true
    }

    /// The value that the server returned for a column of this type.
    static func value(_ text: String, type: TypeNumber) -> SQLValue {
        switch type {
        case TypeID.int2, TypeID.int4, TypeID.int8, TypeID.oid:
            Int64(text).map { .integer($0) } ?? .text(text)
        case TypeID.float4, TypeID.float8:
            Double(text).map { .double($0) } ?? .text(text)
        case TypeID.numeric:
            // The sum of integers has this type.
            Int64(text).map { .integer($0) } ?? Double(text).map { .double($0) } ?? .text(text)
        case TypeID.bool: .integer(text == "t" ? 1 : 0)
        default: .text(text)
        }
    }

    /// The text form of an array.
    package static func array(_ texts: [String]) -> String {
        var result = "{"
        for (index, text) in texts.enumerated() {
            if index > 0 { result += "," }
            result += "\""
            for character in text.unicodeScalars {
                if character == "\"" || character == "\\" { result += "\\" }
                result.unicodeScalars.append(character)
            }
            result += "\""
        }
        return result + "}"
    }

    /// True for a text that the type `uuid` reads: 32 hexadecimal digits, with an optional hyphen after each group of
    /// four, and optional braces around. https://www.postgresql.org/docs/15/datatype-uuid.html
    package static func isUUID(_ text: String) -> Bool {
        var rest = Array(text.utf8)[...]
        if rest.first == UInt8(ascii: "{") {
            guard rest.last == UInt8(ascii: "}"), rest.count > 1 else { return false }
            rest = rest.dropFirst().dropLast()
        }
        var digits = 0
        var isAfterHyphen = true
        for byte in rest {
            switch byte {
            case 0x30...0x39, 0x41...0x46, 0x61...0x66:
                digits += 1
                isAfterHyphen = false
            case UInt8(ascii: "-"):
                guard !isAfterHyphen, digits % 4 == 0, digits < 32 else { return false }
                isAfterHyphen = true
            default: return false
            }
        }
        return digits == 32 && !isAfterHyphen
    }
}
