import Wire

/// Writes one message the way LiveKit's `protojson.Marshal` does: fields in declaration order, 64-bit numbers in quotes,
/// no blanks.
///
/// The caller is responsible for the order. https://protobuf.dev/programming-guides/json/
struct ProtoJSON {
    /// The options of the writer.
    enum Form: Sendable {
        /// Names in lowerCamelCase, zero values absent.
        case webhook
        /// The answers of the server API: names in snake_case, with zero values.
        case api
    }

    private let form: Form
    private(set) var bytes: [UInt8] = []
    private var isFirst = true

    private init(_ form: Form) { self.form = form }

    /// Returns true if a value is written. Zero values are only in answers of the API.
    private func shows(zero isZero: Bool) -> Bool { !isZero || form == .api }

    /// Returns the bytes of the message that `write` fills.
    static func message(_ form: Form = .webhook, _ write: (inout ProtoJSON) -> Void) -> [UInt8] {
        var json = ProtoJSON(form)
        json.bytes.reserveCapacity(1_200)
        json.braces(UInt8(ascii: "{"), UInt8(ascii: "}"), write)
        return json.bytes
    }

    mutating func string(_ name: StaticString, _ value: String) {
        guard shows(zero: value.isEmpty) else { return }
        key(name)
        JSONText.append(value, to: &bytes)
    }

    /// Writes an entry of a map, whose key is the same in every form.
    mutating func entry(_ key: String, _ value: String) {
        comma()
        JSONText.append(key, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
        JSONText.append(value, to: &bytes)
    }

    /// Writes an enumeration by the name of its value. Nil is the zero value, whose name is `zero`.
    mutating func name(_ name: StaticString, _ value: String?, zero: String = "") {
        if value != nil || form == .api { string(name, value ?? zero) }
    }

    /// Writes a message that is not there: `null` in answers of the API.
    mutating func absent(_ name: StaticString) {
        guard form == .api else { return }
        key(name)
        bytes.append(contentsOf: "null".utf8)
    }

    /// Writes a 64-bit number, in quotes.
    mutating func long(_ name: StaticString, _ value: Int64) {
        guard shows(zero: value == 0) else { return }
        key(name)
        bytes.append(UInt8(ascii: "\""))
        bytes.append(contentsOf: String(value).utf8)
        bytes.append(UInt8(ascii: "\""))
    }

    /// Writes a 32-bit number.
    mutating func int(_ name: StaticString, _ value: Int) {
        guard shows(zero: value == 0) else { return }
        key(name)
        bytes.append(contentsOf: String(value).utf8)
    }

    mutating func double(_ name: StaticString, _ value: Double) {
        guard shows(zero: value == 0) else { return }
        key(name)
        bytes.append(contentsOf: "\(value)".utf8)
    }

    mutating func flag(_ name: StaticString, _ value: Bool) {
        guard shows(zero: !value) else { return }
        key(name)
        bytes.append(contentsOf: (value ? "true" : "false").utf8)
    }

    mutating func object(_ name: StaticString, _ write: (inout ProtoJSON) -> Void) {
        key(name)
        braces(UInt8(ascii: "{"), UInt8(ascii: "}"), write)
    }

    /// Writes a repeated message. Without elements it is a zero value.
    mutating func objects<Element>(
        _ name: StaticString, _ elements: [Element], _ write: (Element, inout ProtoJSON) -> Void
    ) {
        guard shows(zero: elements.isEmpty) else { return }
        key(name)
        braces(UInt8(ascii: "["), UInt8(ascii: "]")) { json in
            for element in elements {
                json.comma()
                json.braces(UInt8(ascii: "{"), UInt8(ascii: "}")) { write(element, &$0) }
            }
        }
    }

    /// Writes repeated enumeration values. Without names it is a zero value.
    mutating func names(_ name: StaticString, _ names: [String]) {
        guard shows(zero: names.isEmpty) else { return }
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
        switch form {
        case .webhook: name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        case .api: name.withUTF8Buffer { appendInSnakeCase($0) }
        }
        bytes.append(contentsOf: "\":".utf8)
    }

    private mutating func appendInSnakeCase(_ name: UnsafeBufferPointer<UInt8>) {
        for byte in name {
            let isCapital = (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            if isCapital { bytes.append(UInt8(ascii: "_")) }
            bytes.append(isCapital ? byte | 0x20 : byte)
        }
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
