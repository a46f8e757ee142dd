import Wire

/// A JSON document that is being read.
package struct StatusInput: Sendable {
    private let bytes: [UInt8]
    private var reader = JSONReader()

    package init(_ bytes: [UInt8]) { self.bytes = bytes }

    mutating func beginObject() throws(DecodingFault) -> Bool {
        let bytes = bytes
        return try reader.beginObject(bytes.span)
    }

    mutating func nextKey() throws(DecodingFault) -> String? {
        let bytes = bytes
        return try reader.nextKeyText(bytes.span)
    }

    mutating func beginArray() throws(DecodingFault) -> Bool {
        let bytes = bytes
        return try reader.beginArray(bytes.span)
    }

    mutating func nextElement() throws(DecodingFault) -> Bool {
        let bytes = bytes
        return try reader.nextElement(bytes.span)
    }

    /// Passes over an empty array. False, and nothing is read, where there is something else.
    mutating func emptyList() throws(DecodingFault) -> Bool {
        var ahead = self
        // A value that is no array is left to whoever reads it.
        guard (try? ahead.beginArray()) == true, try !ahead.nextElement() else { return false }
        self = ahead
        return true
    }

    mutating func null() throws(DecodingFault) -> Bool {
        let bytes = bytes
        return try reader.readNull(bytes.span)
    }

    mutating func boolean() throws(DecodingFault) -> Bool? {
        let bytes = bytes
        return try reader.readBoolean(bytes.span)
    }

    mutating func integer() throws(DecodingFault) -> Int? {
        let bytes = bytes
        return try reader.readInteger(bytes.span).map { Int($0) }
    }

    mutating func double() throws(DecodingFault) -> Double? {
        let bytes = bytes
        return try reader.readDouble(bytes.span)
    }

    mutating func text() throws(DecodingFault) -> String? {
        let bytes = bytes
        return try reader.readText(bytes.span)
    }

    mutating func skip() throws(DecodingFault) {
        let bytes = bytes
        try reader.skip(bytes.span)
    }

    mutating func finish() throws(DecodingFault) {
        let bytes = bytes
        try reader.finish(bytes.span)
    }
}
