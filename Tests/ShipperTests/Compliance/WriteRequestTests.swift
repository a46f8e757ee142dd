import Platform
import TestSupport
import Testing
import Wire

/// The tests' own tools for remote write: a decoder that is too lenient would prove nothing.
@Suite struct WriteRequestTests {
    private static let symbols = ["", "__name__", "up", "job", "lkpush", "Is up.", "seconds"]

    /// A body of 2.0 with one series, of which each part can be replaced.
    private func body(
        symbols: [String] = symbols, labels: [UInt64]? = [3, 4, 1, 2],
        sample: (inout MessageWriter) -> Void = { writer in
            writer.field(1, 1.5)
            writer.field(2, 1_790_000_000_000 as UInt64)
            writer.field(3, 1_789_000_000_000 as UInt64)
        },
        metadata: (inout MessageWriter) -> Void = { writer in
            writer.field(1, 2 as UInt64)
            writer.field(3, 5 as UInt64)
            writer.field(4, 6 as UInt64)
        },
        more: (inout MessageWriter) -> Void = { _ in }
    ) -> [UInt8] {
        var writer = MessageWriter()
        for symbol in symbols { writer.element(4, symbol) }
        writer.message(5) { series in
            if let labels { series.field(1, bytes: labels.map { UInt8($0) }) }
            series.message(2, sample)
            series.message(5, metadata)
            more(&series)
        }
        return writer.bytes
    }

    @Test func `a body of 2.0 is decoded, as protoc does`() throws {
        let raw = body()
        let request = try WriteRequest(raw: raw, .v2)
        let series = try #require(request.series.first)
        #expect(series.text == #"up{job="lkpush"}"# && series.names == ["job", "__name__"])
        #expect(
            series.samples == [
                .init(bits: 1.5.bitPattern, milliseconds: 1_790_000_000_000, start_ms: 1_789_000_000_000)
            ])
        #expect(series.metadata == .init(type: .gauge, help: "Is up.", unit: "seconds"))
        #expect(request.unusedSymbols == 0 && request.sampleCount == 1)
        #expect(try WriteRequest(protoc: raw, .v2) == request.asProtocTells)
    }

    @Test func `native histograms and exemplars are counted`() throws {
        let raw = body(more: { series in
            series.message(3) { $0.field(15, 1 as UInt64) }
            series.message(4) { $0.field(3, 1 as UInt64) }
            series.message(4) { $0.field(3, 2 as UInt64) }
        })
        let request = try WriteRequest(raw: raw, .v2)
        #expect(request.histogramCount == 1 && request.exemplarCount == 2)
        #expect(throws: (any Error).self, "the schema has no name for them") { try WriteRequest(protoc: raw, .v2) }
    }

    @Test func `a symbol that nothing refers to is counted`() throws {
        let request = try WriteRequest(raw: body(symbols: Self.symbols + ["left", "right"]), .v2)
        #expect(request.unusedSymbols == 2)
    }

    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let text: String
        let raw: [UInt8]
    }

    private static let faults: [Fault] = {
        let tests = WriteRequestTests()
        let same = "e\u{301}"
        return [
            ("no symbols", "no symbols", tests.body(symbols: [])),
            ("the first symbol is not empty", "symbol 0", tests.body(symbols: Array(symbols.dropFirst()))),
            ("a symbol comes twice", "twice", tests.body(symbols: symbols + ["up"])),
            ("a reference beyond the symbols", "reference 7 of 7", tests.body(labels: [3, 4, 1, 7])),
            ("a reference without a value", "3 references", tests.body(labels: [3, 4, 1])),
            ("a help text beyond the symbols", "reference 9", tests.body(metadata: { $0.field(3, 9 as UInt64) })),
            ("a type that nobody knows", "type 8", tests.body(metadata: { $0.field(1, 8 as UInt64) })),
            ("the start of 2.0-rc.3", "series field 6", tests.body(more: { $0.field(6, 5 as UInt64) })),
            ("two samples in one", "twice", tests.body(sample: { for _ in 0..<2 { $0.field(1, 1.5) } })),
            ("a value that is no double", "sample field 1", tests.body(sample: { $0.field(1, 7 as UInt64) })),
            ("unknown metadata", "metadata field 2", tests.body(metadata: { $0.field(2, 7 as UInt64) })),
            ("a series of 1.0", "request field 1", [0x0A, 0]),
            (
                "labels that are not packed", "series field 1",
                tests.body(labels: nil, more: { $0.field(1, 1 as UInt64) })
            ),
            ("the end inside a field", "cut", Array(tests.body().dropLast())),
            ("no UTF-8", "UTF-8", [0x22, 0, 0x22, 1, 0xFF]),
            ("an endless varint", "too long", [0x22] + Array(repeating: 0xFF, count: 11)),
            ("field 0", "field number 0", [0x02, 0]),
            ("a group", "wire type 3", [0x23]),
            ("symbols that look the same", "", tests.body(symbols: symbols + ["é", same])),
        ].map { Fault(testDescription: $0.0, text: $0.1, raw: $0.2) }
    }()

    @Test(arguments: faults) func `what is no body of 2.0 is a fault`(_ fault: Fault) {
        do throws(WriteRequest.RequestFault) {
            _ = try WriteRequest(raw: fault.raw, .v2)
            #expect(fault.text.isEmpty)
        } catch {
            #expect(!fault.text.isEmpty && error.description.contains(fault.text), "\(error)")
        }
    }

    @Test func `a body of either message is a fault or empty in the other`() throws {
        let v1: [UInt8] = [0x0A, 0]
        #expect(try WriteRequest(raw: v1).series.count == 1)
        #expect(throws: WriteRequest.RequestFault.self) { try WriteRequest(raw: body()) }
    }

    @Test func `a length that is too large takes no memory`() {
        #expect(throws: WriteRequest.RequestFault.self) { try SnappyBlock.decode([0xFF, 0xFF, 0xFF, 0xFF, 0x7F, 0]) }
    }

    @Test func `the store refuses what Prometheus refuses`() throws {
        func request(_ version: WriteRequest.Version, _ samples: (Int64, Double)...) throws -> WriteRequest {
            var writer = MessageWriter()
            let isV1 = version == .v1
            if !isV1 { for symbol in Self.symbols { writer.element(4, symbol) } }
            writer.message(isV1 ? 1 : 5) { series in
                if isV1 {
                    series.message(1) { label in
                        label.field(1, "__name__")
                        label.field(2, "up")
                    }
                } else {
                    series.field(1, bytes: [1, 2])
                }
                for sample in samples {
                    series.message(2) { writer in
                        writer.field(1, sample.1)
                        writer.field(2, UInt64(sample.0))
                    }
                }
            }
            return try WriteRequest(raw: writer.bytes, version)
        }
        for version in WriteRequest.Version.allCases {
            var store = SampleStore()
            #expect(store.take(try request(version, (1, 1), (2, 2))) == .init(written: 2))
            #expect(store.take(try request(version, (2, 2))) == .init(written: 1), "an exact copy of the newest")
            #expect(store.take(try request(version, (2, 3))).refusal?.contains("duplicate") == true)
            let mixed = store.take(try request(version, (1, 1), (3, 3)))
            #expect(mixed.refusal?.contains("out of order") == true)
            #expect(mixed.written == (version == .v1 ? 0 : 1))
            #expect(store.samples["up"]?.map(\.milliseconds) == (version == .v1 ? [1, 2] : [1, 2, 3]))
            #expect(store.refusals.count == 2)
        }
    }
}
