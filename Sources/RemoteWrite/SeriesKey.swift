package import Metrics
package import Wire

/// Identifies one series across restarts: its family and its label values. A histogram is one series here.
///
/// Two keys are equal only if all their bytes are equal. A key that was made from a series shares its strings, so it
/// costs no memory of its own.
package struct SeriesKey: Sendable {
    package let family: String
    /// The values in the order of the family's label names.
    package let labelValues: [String]

    package init(family: String, labelValues: [String]) {
        self.family = family
        self.labelValues = labelValues
    }

    /// A hash that is the same in every process: FNV-1a over the family and the label values, each with its end.
    /// https://datatracker.ietf.org/doc/html/draft-eastlake-fnv
    var stableHash: UInt32 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        func add(_ byte: UInt8) { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        for text in [family] + labelValues {
            for byte in text.utf8 { add(byte) }
            add(0xFF)
        }
        return UInt32(truncatingIfNeeded: hash ^ hash >> 32)
    }

    package init(_ series: Series) { self.init(family: series.family.name, labelValues: series.labelValues) }

    // MARK: Bytes

    /// The encoded key, always the same for equal keys: `message SeriesKey { string family = 1; repeated string
    /// label_values = 2; }`.
    package var bytes: [UInt8] {
        var writer = MessageWriter()
        encode(into: &writer)
        return writer.bytes
    }

    /// Writes the fields. Equal keys make the same bytes.
    package func encode(into writer: inout MessageWriter) {
        writer.reserve(labelValues.reduce(4 + family.utf8.count) { $0 + $1.utf8.count + 4 })
        writer.field(1, family)
        for value in labelValues { writer.element(2, value) }
    }

    /// Reads the output of `encode`, to the end of the reader. Throws if the bytes are no such message, or name no
    /// family.
    package init(from reader: inout MessageReader) throws(MessageFault) {
        var family = ""
        var labelValues: [String] = []
        while let field = try reader.next() {
            switch field {
            case 1: family = try reader.string()
            case 2: labelValues.append(try reader.string())
            default: try reader.skip()
            }
        }
        if family.isEmpty { throw MessageFault("a series has no family") }
        self.init(family: family, labelValues: labelValues)
    }

    /// Reads the output of `bytes`.
    package init(bytes: [UInt8]) throws(MessageFault) {
        var reader = MessageReader(bytes)
        try self.init(from: &reader)
    }
}

extension SeriesKey: Hashable {
    package static func == (a: SeriesKey, b: SeriesKey) -> Bool {
        // `==` of `String` is not used: it takes texts for equal that look the same.
        a.family.utf8.elementsEqual(b.family.utf8)
            && a.labelValues.elementsEqual(b.labelValues) { $0.utf8.elementsEqual($1.utf8) }
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(family)
        hasher.combine(labelValues)
    }
}

extension SeriesKey: Comparable {
    package static func < (a: SeriesKey, b: SeriesKey) -> Bool {
        if !a.family.utf8.elementsEqual(b.family.utf8) {
            return a.family.utf8.lexicographicallyPrecedes(b.family.utf8)
        }
        return a.labelValues.lexicographicallyPrecedes(b.labelValues) { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }
}
