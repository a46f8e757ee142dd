import Metrics
import RemoteWrite
import TestSupport
import Testing
import Wire

/// The stored form of series: what was written is read, and nothing else is.
@Suite struct SpooledSeriesTests {
    private static func encoded(_ series: SpooledSeries) -> [UInt8] {
        var writer = MessageWriter()
        series.encode(into: &writer)
        return writer.bytes
    }

    private static func series(
        firstRow: UInt32 = 7, family: String = "lk_rooms", help: String = "Rooms.",
        kind: FamilyDescriptor.Kind = .gauge, names: [String] = ["room"], values: [String] = ["r"],
        commonNames: [String] = ["job"], commonValues: [String] = ["lkpush"], start: Timestamp? = nil
    ) -> SpooledSeries {
        SpooledSeries(
            firstRow: firstRow, family: family, help: help, kind: kind, labelNames: names, labelValues: values,
            commonNames: commonNames, commonValues: commonValues, start: start)
    }

    static let good: [SpooledSeries] = [
        series(),
        series(firstRow: 0, names: [], values: [], commonNames: [], commonValues: []),
        series(firstRow: .max - 1),
        series(family: "a:b_total", kind: .counter, start: Timestamp(milliseconds: 0)),
        series(family: "a_total", kind: .counter, start: Timestamp(milliseconds: -5)),
        series(values: [""]),
        series(names: ["a", "b", "c"], values: ["", "Zoë 🦊\u{0}\n\"", ""]),
        series(kind: .histogram(bounds: [0])),
        series(firstRow: .max - 7, kind: .histogram(bounds: [-1, 0, 0.5, 1e308])),
        series(commonNames: ["job", "le", "room"], commonValues: ["x", "y", "z"]),
        series(help: String(repeating: "Long. ", count: 4_000)),
    ]

    @Test(arguments: good)
    func `a series comes back as it went in`(_ series: SpooledSeries) throws {
        #expect(try SpooledSeries(decoding: Self.encoded(series)) == series)
        var decoder = SpooledSeriesDecoder()
        for _ in 0..<2 { #expect(try decoder.decode(Self.encoded(series)) == series) }
    }

    static let bad: [(String, SpooledSeries)] = [
        ("no name", series(family: "")),
        ("a name with a space", series(family: "a b")),
        ("a name that begins with a digit", series(family: "1a")),
        ("no help", series(help: "")),
        ("a counter without total", series(kind: .counter)),
        ("a gauge with total", series(family: "a_total")),
        ("a reserved label", series(names: ["__name__"])),
        ("a label that is le", series(names: ["le"])),
        ("a label with a colon", series(names: ["a:b"])),
        ("an empty label name", series(names: [""])),
        ("a label twice", series(names: ["a", "a"], values: ["1", "2"])),
        ("a label without a value", series(names: ["a", "b"])),
        ("a value without a label", series(values: ["a", "b"])),
        ("no bounds", series(kind: .histogram(bounds: []))),
        ("equal bounds", series(kind: .histogram(bounds: [1, 1]))),
        ("falling bounds", series(kind: .histogram(bounds: [2, 1]))),
        ("a bound that is no number", series(kind: .histogram(bounds: [.nan]))),
        ("an infinite bound", series(kind: .histogram(bounds: [1, .infinity]))),
        ("too many bounds", series(kind: .histogram(bounds: (0..<2_000).map { Double($0) }))),
        ("a row beyond the last", series(firstRow: .max)),
        ("rows beyond the last", series(firstRow: .max - 6, kind: .histogram(bounds: [-1, 0, 0.5, 1e308]))),
        ("a common label twice", series(commonNames: ["a", "a"], commonValues: ["1", "2"])),
        ("a common label without a value", series(commonValues: [""])),
        ("a common name without a value", series(commonNames: ["a", "b"])),
        ("a reserved common label", series(commonNames: ["__replica__"])),
        ("too many labels", series(names: (0..<300).map { "l\($0)" }, values: (0..<300).map { "\($0)" })),
        ("too long", series(help: String(repeating: "x", count: 2 << 20))),
    ]

    @Test(arguments: bad.indices)
    func `what no declaration allows is refused`(_ index: Int) {
        #expect(throws: MessageFault.self, "\(Self.bad[index].0)") {
            try SpooledSeries(decoding: Self.encoded(Self.bad[index].1))
        }
    }

    @Test func `damaged bytes give an error or another series that a declaration allows`() {
        var random = SeededGenerator(seed: 3)
        var (read, refused) = (0, 0)
        for _ in 0..<20_000 {
            var bytes = Self.encoded(Self.good[Int.random(in: 0..<Self.good.count - 1, using: &random)])
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                bytes[place] = UInt8.random(in: 0...255, using: &random)
            }
            if Bool.random(using: &random) { bytes.removeLast(Int.random(in: 0...bytes.count, using: &random)) }
            guard let series = try? SpooledSeries(decoding: bytes) else {
                refused += 1
                continue
            }
            read += 1
            let fault = FamilyDescriptor.fault(
                name: series.family, help: series.help, kind: series.kind, labelNames: series.labelNames)
            #expect(fault == nil && series.labelNames.count == series.labelValues.count)
            #expect(Int(series.firstRow) + series.rowCount <= Int(UInt32.max))
            #expect((try? SpooledSeries(decoding: Self.encoded(series))) == series)
        }
        #expect(read > 1_000 && refused > 1_000)
    }

    @Test func `a field of a later program is passed over`() throws {
        var writer = MessageWriter(appendingTo: Self.encoded(Self.series()))
        writer.field(9, "later")
        #expect(try SpooledSeries(decoding: writer.bytes) == Self.series())
    }

    @Test func `protoc reads a series with the schema`() throws {
        let series = Self.series(
            family: "a_seconds", kind: .histogram(bounds: [0, 1.5]), values: [""], start: Timestamp(milliseconds: 12))
        let text = try Protoc.decode(Self.encoded(series), as: "lkpush.spool.Series", of: "spool.proto")
        for line in [
            "first_row: 7", "name: \"a_seconds\"", "help: \"Rooms.\"", "type: HISTOGRAM", "bound: 0", "bound: 1.5",
            "label_name: \"room\"", "label_value: \"\"", "name: \"job\"", "value: \"lkpush\"", "start_ms: 12",
        ] {
            #expect(text.contains(line), "\(line) in \(text)")
        }
    }

    @Test(arguments: [
        SpooledRequests(shards: 1, message: nil, endpoint: ""),
        SpooledRequests(shards: 8, message: .v1, endpoint: "http://127.0.0.1:9/push"),
        SpooledRequests(shards: 3, message: .v2, endpoint: "x"),
    ])
    func `what is known of requests comes back as it went in`(_ requests: SpooledRequests) throws {
        var writer = MessageWriter()
        requests.encode(into: &writer)
        #expect(try SpooledRequests(decoding: writer.bytes) == requests)
        let text = try Protoc.decode(writer.bytes, as: "lkpush.spool.Requests", of: "spool.proto")
        #expect(text.contains("shards: \(requests.shards)"))
        #expect(throws: MessageFault.self) { try SpooledRequests(decoding: writer.bytes + [8, 0xFF, 0xFF, 0x7F]) }
    }
}
