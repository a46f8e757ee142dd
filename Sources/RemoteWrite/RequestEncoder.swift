import Metrics
package import Wire

/// Encodes samples as the body of a request, in either message.
///
/// When warm, it allocates nothing but the bodies.
package struct RequestEncoder: Sendable {
    /// An encoded request before compression.
    private var raw: [UInt8] = []
    /// The time series of version 2.0, which come after the symbols.
    private var series: [UInt8] = []
    private var compressed: [UInt8] = []
    /// The number of a symbol in the current request, and in its upper half the number of that request.
    private var symbolNumbers: [UInt64] = []
    private var request: UInt64 = 0
    private var nextSymbol: UInt32 = 0
    /// The label references of the row that is being written.
    private var references: [UInt32] = []
    private var times = EncodedTimes()

    package init() {}

    /// Writes a request into `body`, whose memory is reused.
    ///
    /// - Parameters:
    ///   - samples: whole groups, sorted by row.
    ///   - base: the time that the offsets are relative to.
    ///   - withMetadata: version 1.0 only: the metadata of all families come after the series.
    /// - Returns: the number of bytes before compression.
    package mutating func encode(
        _ samples: ArraySlice<QueuedSample>, base: Timestamp, as message: Message, withMetadata: Bool,
        _ table: inout SeriesTable, into body: inout [UInt8]
    ) -> Int {
        raw.removeAll(keepingCapacity: true)
        switch message {
        case .v1: encodeV1(samples, base, withMetadata: withMetadata, &table)
        case .v2: encodeV2(samples, base, table)
        }
        let size = Snappy.compress(raw[...], into: &compressed)
        body.removeAll(keepingCapacity: true)
        body.append(contentsOf: compressed[..<size])
        return raw.count
    }

    /// The end of the samples of one row.
    private static func endOfRow(_ samples: ArraySlice<QueuedSample>, from index: Int) -> Int {
        let row = samples[index].row
        var end = index + 1
        while end < samples.endIndex && samples[end].row == row { end += 1 }
        return end
    }

    // MARK: Version 1.0

    private mutating func encodeV1(
        _ samples: ArraySlice<QueuedSample>, _ base: Timestamp, withMetadata: Bool, _ table: inout SeriesTable
    ) {
        var index = samples.startIndex
        while index < samples.endIndex {
            let end = Self.endOfRow(samples, from: index)
            let labels = table.labels.fields(of: Int(samples[index].row))
            var size = labels.count
            for sample in samples[index..<end] { size += 2 + Self.size(of: sample, base, nil, &times) }
            raw.append(Field.V1.requestSeries)
            raw.appendVarint(UInt64(size))
            raw.append(contentsOf: labels)
            Self.append(samples[index..<end], base, size: size - labels.count, &times, to: &raw)
            index = end
        }
        if withMetadata { for family in table.labels.metadata { appendV1(family, table.labels.symbols) } }
    }

    private static func append(
        _ samples: ArraySlice<QueuedSample>, _ base: Timestamp, size: Int, _ times: inout EncodedTimes,
        to raw: inout [UInt8]
    ) {
        raw.append(addingCapacity: size) { (out: inout OutputSpan<UInt8>) in
            for sample in samples { append(sample, base, nil, &times, to: &out) }
        }
    }

    private mutating func appendV1(_ family: SeriesLabels.Metadata, _ symbols: SymbolTable) {
        let texts = [
            (Field.V1.metadataName, family.name), (Field.V1.metadataHelp, family.help),
            (Field.V1.metadataUnit, family.unit),
        ].map { (tag: $0, bytes: symbols.encoded[Int($1)]) }
        raw.append(Field.V1.requestMetadata)
        raw.appendVarint(UInt64(2 + texts.reduce(0) { $0 + 1 + $1.bytes.count }))
        raw.append(Field.V1.metadataType)
        raw.append(family.typeNumber)
        for text in texts {
            raw.append(text.tag)
            raw.append(contentsOf: text.bytes)
        }
    }

    // MARK: Version 2.0

    private mutating func encodeV2(_ samples: ArraySlice<QueuedSample>, _ base: Timestamp, _ table: SeriesTable) {
        series.removeAll(keepingCapacity: true)
        request += 1
        nextSymbol = 0
        let missing = table.labels.symbols.count - symbolNumbers.count
        if missing > 0 { symbolNumbers.append(contentsOf: repeatElement(0, count: missing)) }
        _ = number(of: SymbolTable.empty, table.labels.symbols)
        for symbol in table.labels.hot { _ = number(of: symbol, table.labels.symbols) }
        var index = samples.startIndex
        while index < samples.endIndex {
            let end = Self.endOfRow(samples, from: index)
            append(samples[index..<end], base, table)
            index = end
        }
        raw.append(contentsOf: series)
    }

    /// The number of a symbol in this request. At its first use the symbol is written.
    private mutating func number(of symbol: UInt32, _ symbols: borrowing SymbolTable) -> UInt32 {
        let known = symbolNumbers[Int(symbol)]
        if known >> 32 == request { return UInt32(truncatingIfNeeded: known) }
        return write(symbol, symbols)
    }

    @inline(never)
    private mutating func write(_ symbol: UInt32, _ symbols: borrowing SymbolTable) -> UInt32 {
        let number = nextSymbol
        nextSymbol += 1
        symbolNumbers[Int(symbol)] = request << 32 | UInt64(number)
        raw.append(Field.V2.requestSymbols)
        raw.append(contentsOf: symbols.encoded[Int(symbol)])
        return number
    }

    private mutating func append(
        _ samples: ArraySlice<QueuedSample>, _ base: Timestamp, _ table: borrowing SeriesTable
    ) {
        let row = Int(samples[samples.startIndex].row)
        let group = Int(table.owners[row])
        let family = Int(table.groups[group].family)
        references.removeAll(keepingCapacity: true)
        var labels_bytes = 0
        for place in table.labels.references.ranges[row] {
            let number = number(of: table.labels.references.elements[place], table.labels.symbols)
            labels_bytes += number.varintSize
            references.append(number)
        }
        let help = number(of: table.labels.metadata[family].help, table.labels.symbols)
        let unit = number(of: table.labels.metadata[family].unit, table.labels.symbols)
        let start = table.groups[group].start
        var size = 1 + UInt32(labels_bytes).varintSize + labels_bytes
        for sample in samples { size += 2 + Self.size(of: sample, base, start, &times) }
        let metadata = EncodedMetadata(type: table.labels.metadata[family].typeNumber, help: help, unit: unit)
        size += 2 + metadata.size
        Self.append(
            samples, base, start, labels: (references, labels_bytes), metadata, size: size, &times, to: &series)
    }

    private static func append(
        _ samples: ArraySlice<QueuedSample>, _ base: Timestamp, _ start: Timestamp?,
        labels: (numbers: [UInt32], bytes: Int), _ metadata: EncodedMetadata, size: Int, _ times: inout EncodedTimes,
        to series: inout [UInt8]
    ) {
        series.append(addingCapacity: size + 8) { (out: inout OutputSpan<UInt8>) in
            out.append(Field.V2.requestSeries)
            out.appendVarint(UInt32(size))
            out.append(Field.V2.seriesLabels)
            out.appendVarint(UInt32(labels.bytes))
            for number in labels.numbers { out.appendVarint(number) }
            for sample in samples { append(sample, base, start, &times, to: &out) }
            metadata.append(to: &out)
        }
    }

    // MARK: Samples

    /// The size of an encoded sample, without its tag and length.
    private static func size(
        of sample: QueuedSample, _ base: Timestamp, _ start: Timestamp?, _ times: inout EncodedTimes
    ) -> Int {
        let time = times.at(base, sample.offset_ms)
        guard let start else { return 10 + time.size }
        return 11 + time.size + times.start(start, notAfter: time).size
    }

    /// Appends a sample. A value of 0.0 is written like any other, so all samples have the same size.
    private static func append(
        _ sample: QueuedSample, _ base: Timestamp, _ start: Timestamp?, _ times: inout EncodedTimes,
        to out: inout OutputSpan<UInt8>
    ) {
        let time = times.at(base, sample.offset_ms)
        out.append(Field.V1.seriesSamples)
        out.append(UInt8(size(of: sample, base, start, &times)))
        out.append(Field.Sample.value)
        for shift in 0..<UInt64(8) { out.append(UInt8(truncatingIfNeeded: sample.bits >> (8 * shift))) }
        out.append(Field.Sample.timestamp)
        time.append(to: &out)
        if let start {
            out.append(Field.Sample.start)
            times.start(start, notAfter: time).append(to: &out)
        }
    }
}

/// The metadata of a series in version 2.0: a metric type, and the numbers of two symbols. Unit 0 is no unit.
private struct EncodedMetadata {
    let type: UInt8
    let help: UInt32
    let unit: UInt32

    /// The size without tag and length.
    var size: Int { 3 + help.varintSize + (unit == 0 ? 0 : 1 + unit.varintSize) }

    func append(to out: inout OutputSpan<UInt8>) {
        out.append(Field.V2.seriesMetadata)
        out.append(UInt8(size))
        out.append(Field.V2.metadataType)
        out.append(type)
        out.append(Field.V2.metadataHelp)
        out.appendVarint(help)
        if unit != 0 {
            out.append(Field.V2.metadataUnit)
            out.appendVarint(unit)
        }
    }
}

extension UInt32 {
    /// The number of bytes that its varint takes.
    fileprivate var varintSize: Int {
        self < 1 << 7 ? 1 : self < 1 << 14 ? 2 : self < 1 << 21 ? 3 : self < 1 << 28 ? 4 : 5
    }
}

extension OutputSpan<UInt8> {
    @inline(__always)
    fileprivate mutating func appendVarint(_ value: UInt32) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(truncatingIfNeeded: rest))
    }
}

extension SeriesLabels.Metadata {
    /// The number of the metric type, which is the same in both messages.
    var typeNumber: UInt8 {
        switch kind {
        case .counter: 1
        case .gauge: 2
        case .histogram: 3
        }
    }
}

/// A timestamp that is encoded once for all samples with this time.
struct EncodedTime {
    let milliseconds: Int64
    /// A varint has at most ten bytes. The first `size` of them are used.
    private let bytes: [10 of UInt8]
    let size: Int

    init(milliseconds: Int64) {
        self.milliseconds = milliseconds
        var bytes = [10 of UInt8](repeating: 0)
        var size = 0
        var rest = UInt64(bitPattern: milliseconds)
        while rest >= 0x80 {
            bytes[size] = UInt8(truncatingIfNeeded: rest) | 0x80
            rest >>= 7
            size += 1
        }
        bytes[size] = UInt8(truncatingIfNeeded: rest)
        self.bytes = bytes
        self.size = size + 1
    }

    func append(to out: inout OutputSpan<UInt8>) {
        for index in 0..<size { out.append(bytes[index]) }
    }
}

/// The encoded times that were asked for last. Most samples of a request have the time of the reading or the one
/// before, and the series of one histogram have the same start.
private struct EncodedTimes {
    private var now = EncodedTime(milliseconds: 0)
    private var before = EncodedTime(milliseconds: 0)
    private var start = EncodedTime(milliseconds: 0)

    mutating func at(_ base: Timestamp, _ offset_ms: Int32) -> EncodedTime {
        let milliseconds = base.milliseconds + Int64(offset_ms)
        if now.milliseconds == milliseconds { return now }
        if before.milliseconds != milliseconds {
            before = EncodedTime(milliseconds: milliseconds)
            swap(&now, &before)
            return now
        }
        return before
    }

    /// A start is never after the time of its sample, whatever the clock did meanwhile.
    mutating func start(_ start: Timestamp, notAfter time: EncodedTime) -> EncodedTime {
        if start.milliseconds > time.milliseconds { return time }
        if self.start.milliseconds != start.milliseconds {
            self.start = EncodedTime(milliseconds: start.milliseconds)
        }
        return self.start
    }
}
