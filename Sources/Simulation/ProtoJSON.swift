import Wire

/// Writes one message the way LiveKit's `protojson.Marshal` does: fields in declaration order, names in lowerCamelCase,
/// 64-bit numbers in quotes, zero values absent, no blanks.
///
/// The caller is responsible for the order. https://protobuf.dev/programming-guides/json/
struct ProtoJSON {
    private(set) var bytes: [UInt8] = []
    private var isFirst = true

    /// Returns the bytes of the message that `write` fills.
    static func message(_ write: (inout ProtoJSON) -> Void) -> [UInt8] {
        var json = ProtoJSON()
        json.bytes.reserveCapacity(1_200)
        json.braces(UInt8(ascii: "{"), UInt8(ascii: "}"), write)
        return json.bytes
    }

    mutating func string(_ name: StaticString, _ value: String) {
        guard !value.isEmpty else { return }
        key(name)
        JSONText.append(value, to: &bytes)
    }

    /// Writes an enumeration by the name of its value. Nil is the zero value, which is absent.
    mutating func name(_ name: StaticString, _ value: String?) { string(name, value ?? "") }

    /// Writes a 64-bit number, in quotes.
    mutating func long(_ name: StaticString, _ value: Int64) {
        guard value != 0 else { return }
        key(name)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: String(value).utf8)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Writes a 32-bit number.
    mutating func int(_ name: StaticString, _ value: Int) {
        guard value != 0 else { return }
        key(name)
        bytes.append(contentsOf: String(value).utf8)
    }

    mutating func double(_ name: StaticString, _ value: Double) {
        guard value != 0 else { return }
        key(name)
        bytes.append(contentsOf: "\(value)".utf8)
    }

    mutating func flag(_ name: StaticString, _ value: Bool) {
        guard value else { return }
        key(name)
        bytes.append(contentsOf: "true".utf8)
    }

    mutating func object(_ name: StaticString, _ write: (inout ProtoJSON) -> Void) {
        key(name)
        braces(UInt8(ascii: "{"), UInt8(ascii: "}"), write)
    }

    /// Writes a repeated message; absent if `elements` is empty.
    mutating func objects<Element>(
        _ name: StaticString, _ elements: [Element], _ write: (Element, inout ProtoJSON) -> Void
    ) {
        guard !elements.isEmpty else { return }
        key(name)
        braces(UInt8(ascii: "["), UInt8(ascii: "]")) { json in
            for element in elements {
                json.comma()
                json.braces(UInt8(ascii: "{"), UInt8(ascii: "}")) { write(element, &$0) }
            }
        }
    }

    /// Writes repeated enumeration values; absent if `names` is empty.
    mutating func names(_ name: StaticString, _ names: [String]) {
        guard !names.isEmpty else { return }
        key(name)
        braces(UInt8(ascii: "["), UInt8(ascii: "]")) { json in
            for name in names {
                json.comma()
                JSONText.append(name, to: &json.bytes)
            }
        }
    }

    private mutating func key(_ name: StaticString) {
        comma()
        bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(contentsOf: "\":".utf8)
    }

    private mutating func comma() {
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
    }

    private mutating func braces(_ open: UInt8, _ close: UInt8, _ write: (inout ProtoJSON) -> Void) {
        let wasFirst = isFirst
        bytes.append(open)
        isFirst = true
        write(&self)
        bytes.append(close)
        isFirst = wasFirst
    }
}
