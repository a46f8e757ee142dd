import Metrics
import Wire

/// The labels of every row, as pairs of symbols, and the metadata of every family.
///
/// The labels of a row are written as bytes of version 1.0 at their first use, and kept: a receiver of 2.0 alone costs
/// no memory for them.
struct SeriesLabels {
    /// The metadata of a family, as symbols.
    struct Metadata {
        let name: UInt32
        let kind: FamilyDescriptor.Kind
        let help: UInt32
        let unit: UInt32
    }

    let common: CommonLabels
    private(set) var symbols = SymbolTable()
    private(set) var metadata: [Metadata] = []
    private var families: [String: Int32] = [:]
    /// The symbols that every series has, which get the lowest numbers in a request.
    let hot: [UInt32]

    /// The symbols of all rows, in no order: name and value of each label, labels sorted by name.
    private(set) var references: [UInt32] = []
    /// One range of `references` per row.
    private(set) var ranges: [Range<Int>] = []
    private var unused = 0

    /// The labels of rows as fields of version 1.0, and one range of them per row. Both are empty until a request of
    /// that version is made.
    private(set) var fields: [UInt8] = []
    private(set) var fieldRanges: [Range<Int>] = []
    private var unusedFields_bytes = 0

    /// The unused part at which an array is compacted, if it is also more than a half.
    private static let compaction = 65_536

    init(_ common: CommonLabels) {
        self.common = common
        var symbols = SymbolTable()
        var hot: [UInt32] = []
        for text in ["__name__"] + common.pairs.flatMap({ [$0.name, $0.value] }) { hot.append(symbols.retain(text)) }
        self.hot = hot
        self.symbols = symbols
    }

    /// The number of a family, for `metadata`. A family is added at its first use, and stays.
    mutating func family(_ name: String, help: String, unit: String?, kind: FamilyDescriptor.Kind) -> Int32 {
        if let number = families[name] { return number }
        let number = Int32(metadata.count)
        metadata.append(
            Metadata(
                name: symbols.retain(name), kind: kind, help: symbols.retain(help), unit: symbols.retain(unit ?? "")))
        families[name] = number
        return number
    }

    /// Makes room for this many rows.
    mutating func reserve(rows: Int) {
        if rows > ranges.count { ranges.append(contentsOf: repeatElement(0..<0, count: rows - ranges.count)) }
    }

    /// Sets the labels of a row that has none.
    mutating func set(_ row: Int, name: String, own: [(name: String, value: String)]) {
        let start = references.count
        for pair in common.sorted(name: name, own: own) {
            references.append(symbols.retain(pair.name))
            references.append(symbols.retain(pair.value))
        }
        ranges[row] = start..<references.count
    }

    /// Removes the labels of a row.
    mutating func remove(_ row: Int) {
        for place in ranges[row] { symbols.release(references[place]) }
        unused += ranges[row].count
        ranges[row] = 0..<0
        if row < fieldRanges.count {
            unusedFields_bytes += fieldRanges[row].count
            fieldRanges[row] = 0..<0
        }
        if unused > Self.compaction && unused > references.count / 2 { compactReferences() }
        if unusedFields_bytes > Self.compaction && unusedFields_bytes > fields.count / 2 { compactFields() }
    }

    private mutating func compactReferences() {
        var compact: [UInt32] = []
        compact.reserveCapacity(references.count - unused)
        for row in ranges.indices where !ranges[row].isEmpty {
            let start = compact.count
            compact.append(contentsOf: references[ranges[row]])
            ranges[row] = start..<compact.count
        }
        references = compact
        unused = 0
    }

    private mutating func compactFields() {
        var compact: [UInt8] = []
        compact.reserveCapacity(fields.count - unusedFields_bytes)
        for row in fieldRanges.indices where !fieldRanges[row].isEmpty {
            let start = compact.count
            compact.append(contentsOf: fields[fieldRanges[row]])
            fieldRanges[row] = start..<compact.count
        }
        fields = compact
        unusedFields_bytes = 0
    }

    // MARK: Version 1.0

    /// The place in `fields` of a row's labels, as fields of `TimeSeries` in version 1.0.
    mutating func fields(of row: Int) -> Range<Int> {
        if fieldRanges.count < ranges.count {
            fieldRanges.append(contentsOf: repeatElement(0..<0, count: ranges.count - fieldRanges.count))
        }
        if fieldRanges[row].isEmpty { writeFields(of: row) }
        return fieldRanges[row]
    }

    private mutating func writeFields(of row: Int) {
        let start = fields.count
        for place in stride(from: ranges[row].lowerBound, to: ranges[row].upperBound, by: 2) {
            let name = symbols.ranges[Int(references[place])]
            let value = symbols.ranges[Int(references[place + 1])]
            fields.append(Field.V1.seriesLabels)
            fields.appendVarint(UInt64(2 + name.count + value.count))
            fields.append(Field.V1.labelName)
            fields.append(contentsOf: symbols.bytes[name])
            fields.append(Field.V1.labelValue)
            fields.append(contentsOf: symbols.bytes[value])
        }
        fieldRanges[row] = start..<fields.count
    }

    /// Frees what only version 1.0 needs.
    mutating func forgetFields() {
        fields = []
        fieldRanges = []
        unusedFields_bytes = 0
    }
}
