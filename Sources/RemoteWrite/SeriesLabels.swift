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

    /// The symbols of each row: name and value of each label, labels sorted by name.
    private(set) var references = ListStore<UInt32>()
    /// The labels of each row as fields of version 1.0. All are empty until a request of that version is made.
    private(set) var fields = ListStore<UInt8>()

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
    mutating func reserve(rows: Int) { references.reserve(rows) }

    /// Makes room for the labels of this many rows at once, which have so many labels of their own in all.
    mutating func reserve(more rows: Int, ownLabels: Int) {
        references.reserve(elements: 2 * (ownLabels + rows * (common.pairs.count + 1)))
    }

    /// Sets the labels of a row that has none.
    mutating func set(_ row: Int, name: String, own: [(name: String, value: String)], _ common: CommonLabels) {
        let pairs = common.sorted(name: name, own: own)
        references.fill(row) { references in
            for pair in pairs {
                references.append(symbols.retain(pair.name))
                references.append(symbols.retain(pair.value))
            }
        }
    }

    /// Removes the labels of a row.
    mutating func remove(_ row: Int) {
        for symbol in references[row] { symbols.release(symbol) }
        references.remove(row)
        if row < fields.ranges.count { fields.remove(row) }
    }

    // MARK: Version 1.0

    /// The bytes that the fields of all rows take, or a few less.
    private var fieldBytes: Int {
        var bytes = 0
        for row in references.ranges.indices {
            let references = references[row]
            bytes += references.count / 2 * 4
            for symbol in references { bytes += symbols.encoded.ranges[Int(symbol)].count }
        }
        return bytes
    }

    /// The labels of a row as fields of `TimeSeries` in version 1.0.
    mutating func fields(of row: Int) -> ArraySlice<UInt8> {
        fields.reserve(references.ranges.count)
        if fields.elements.isEmpty { fields.reserve(elements: fieldBytes) }
        if fields.ranges[row].isEmpty {
            let (references, symbols) = (references[row], symbols.encoded)
            fields.fill(row) { bytes in
                for place in stride(from: references.startIndex, to: references.endIndex, by: 2) {
                    let name = symbols[Int(references[place])]
                    let value = symbols[Int(references[place + 1])]
                    bytes.append(Field.V1.seriesLabels)
                    bytes.appendVarint(UInt64(2 + name.count + value.count))
                    bytes.append(Field.V1.labelName)
                    bytes.append(contentsOf: name)
                    bytes.append(Field.V1.labelValue)
                    bytes.append(contentsOf: value)
                }
            }
        }
        return fields[row]
    }
}
