package import Wire

/// A value of the status documents: it can be written as JSON, read from it, and described.
package protocol StatusValue: Sendable, Equatable {
    /// The value of a field that a document lacks, for example because it comes from an older lkpush.
    static var absent: Self { get }
    /// Its form, for the documentation.
    static var shape: StatusShape { get }

    /// Appends the value as JSON.
    func append(to json: inout [UInt8])
    /// Reads a value. `null` is `absent`.
    static func read(_ input: inout StatusInput) throws(DecodingFault) -> Self
}

/// The form of a value, for the documentation.
package indirect enum StatusShape: Sendable {
    /// A JSON type, such as `number`.
    case plain(String)
    case nullable(StatusShape)
    case array(StatusShape)
    case object([StatusFieldDescription])
}

extension Bool: StatusValue {
    package static var absent: Bool { false }
    package static var shape: StatusShape { .plain("boolean") }

    package func append(to json: inout [UInt8]) { json.append(contentsOf: (self ? "true" : "false").utf8) }

    package static func read(_ input: inout StatusInput) throws(DecodingFault) -> Bool {
        try input.boolean() ?? absent
    }
}

extension Int: StatusValue {
    package static var absent: Int { 0 }
    package static var shape: StatusShape { .plain("integer") }

    package func append(to json: inout [UInt8]) { json.append(contentsOf: String(self).utf8) }

    package static func read(_ input: inout StatusInput) throws(DecodingFault) -> Int {
        try input.integer() ?? absent
    }
}

/// JSON has no number for what is not finite: it is written as `null`.
extension Double: StatusValue {
    package static var absent: Double { 0 }
    package static var shape: StatusShape { .plain("number") }

    package func append(to json: inout [UInt8]) {
        guard isFinite else { return json.append(contentsOf: "null".utf8) }
        // Four digits behind the point: a tenth of a millisecond, and plots stay small.
        let rounded = (self * 10_000).rounded() / 10_000
        if let whole = Int(exactly: rounded) { return whole.append(to: &json) }
        json.append(contentsOf: (rounded.isFinite ? rounded : self).description.utf8)
    }

    package static func read(_ input: inout StatusInput) throws(DecodingFault) -> Double {
        try input.double() ?? absent
    }
}

extension String: StatusValue {
    package static var absent: String { "" }
    package static var shape: StatusShape { .plain("string") }

    package func append(to json: inout [UInt8]) { JSONText.append(self, to: &json) }

    package static func read(_ input: inout StatusInput) throws(DecodingFault) -> String {
        try input.text() ?? absent
    }
}

/// Written as seconds since the Unix epoch. The names of such fields end with `_timestamp_seconds`.
extension Timestamp: StatusValue {
    package static var absent: Timestamp { Timestamp(milliseconds: 0) }
    package static var shape: StatusShape { .plain("number") }

    package func append(to json: inout [UInt8]) { seconds.append(to: &json) }

    package static func read(_ input: inout StatusInput) throws(DecodingFault) -> Timestamp {
        guard let seconds = try input.double(), abs(seconds) < 1e15 else { return absent }
        return Timestamp(milliseconds: Int64((seconds * 1_000).rounded()))
    }
}

extension Optional: StatusValue where Wrapped: StatusValue {
    package static var absent: Wrapped? { nil }
    package static var shape: StatusShape { .nullable(Wrapped.shape) }

    package func append(to json: inout [UInt8]) {
        guard let self else { return json.append(contentsOf: "null".utf8) }
        self.append(to: &json)
    }

    package static func read(_ input: inout StatusInput) throws(DecodingFault) -> Wrapped? {
        if try input.null() { return nil }
        // An older lkpush has an empty list where a capability that was to come is an object now.
        if Wrapped.self is any StatusObject.Type, try input.emptyList() { return nil }
        return try Wrapped.read(&input)
    }
}

extension Array: StatusValue where Element: StatusValue {
    package static var absent: [Element] { [] }
    package static var shape: StatusShape { .array(Element.shape) }

    package func append(to json: inout [UInt8]) {
        json.append(UInt8(ascii: "["))
        for (index, element) in enumerated() {
            if index > 0 { json.append(UInt8(ascii: ",")) }
            element.append(to: &json)
        }
        json.append(UInt8(ascii: "]"))
    }

    package static func read(_ input: inout StatusInput) throws(DecodingFault) -> [Element] {
        var elements: [Element] = []
        guard try input.beginArray() else { return elements }
        while try input.nextElement() { elements.append(try Element.read(&input)) }
        return elements
    }
}

/// One of a few words. A word that this version does not know is read as `unknown`.
package protocol StatusWord: StatusValue, RawRepresentable, CaseIterable where RawValue == String {
    static var unknown: Self { get }
}

extension StatusWord {
    package static var absent: Self { unknown }
    package static var shape: StatusShape { .plain(allCases.map { "`\($0.rawValue)`" }.joined(separator: ", ")) }

    package func append(to json: inout [UInt8]) { rawValue.append(to: &json) }

    package static func read(_ input: inout StatusInput) throws(DecodingFault) -> Self {
        Self(rawValue: try String.read(&input)) ?? unknown
    }
}
