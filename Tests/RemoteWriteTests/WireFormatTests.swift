import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// The encoder against independent decoders: `protoc` with our schema, and the decoder of the tests.
@Suite struct WireFormatTests {
    /// The text that `protoc` prints for an uncompressed body.
    private func decode(_ raw: [UInt8]) throws -> String {
        try Protoc.decode(raw, as: "lkpush.remotewrite.v1.WriteRequest", of: "remote_write_v1.proto")
    }

    @Test func `protoc reads a request with our schema`() throws {
        var fixture = try SeriesTableFixture(external: [(name: "environment", value: "tëst \"x\"\\\n")])
        _ = try fixture.tick(milliseconds: 1_700_000_000_000)
        let counter = try #require(fixture.registry.counter("t_total", "T.", labels: ["a"]).series(["1"]))
        counter.increment(by: 2.5)
        #expect(fixture.read(milliseconds: 1_700_000_015_000) == .made)
        let text = try decode(try SnappyBlock.decode(fixture.encoded(fixture.block)))
        let expected = #"""
            timeseries {
              labels {
                name: "__name__"
                value: "t_total"
              }
              labels {
                name: "a"
                value: "1"
              }
              labels {
                name: "environment"
                value: "t\303\253st \"x\"\\\n"
              }
              labels {
                name: "instance"
                value: "i"
              }
              labels {
                name: "job"
                value: "j"
              }
              samples {
                timestamp: 1700000000000
              }
              samples {
                value: 2.5
                timestamp: 1700000015000
              }
            }
            """#
        #expect(text.contains(expected), "\(text)")
    }

    @Test func `every value survives, bit by bit`() throws {
        let values: [Double] = [
            123.45, 42, 0, -0.0, -15.5, .infinity, -.infinity, 1.797e308, 2.3e-308, .leastNonzeroMagnitude, 1.23e-4,
            0.123456789012345,
        ]
        var fixture = try SeriesTableFixture()
        let family = fixture.registry.gauge("t_value", "T.", labels: ["n"])
        for (index, value) in values.enumerated() { try #require(family.series([String(index)])).set(value) }
        #expect(fixture.read(milliseconds: 1_700_000_000_000) == .made)
        let request = try WriteRequest(compressed: fixture.encoded(fixture.block))
        for (index, value) in values.enumerated() {
            let series = request.series.first { $0.text.hasPrefix("t_value") && $0.text.contains("n=\"\(index)\"") }
            #expect(
                series?.samples == [.init(bits: value.bitPattern, milliseconds: 1_700_000_000_000)], "value \(value)")
        }
    }

    @Test func `protoc finds in random registries what the other decoder finds`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(seed: seed)
        for _ in 0..<5 {
            var fixture = try SeriesTableFixture()
            let family = fixture.registry.gauge("t_value", "T.", labels: ["b", "a"])
            for _ in 0..<200 {
                let texts = (0..<2).map { _ in
                    String(
                        (0..<Int.random(in: 0...200, using: &random)).map { _ in
                            "aé\"\\\n€ z".randomElement(using: &random) ?? "a"
                        })
                }
                // Every printer writes quarters in the same way.
                family.series(texts)?.set(Double(Int.random(in: -99_999...99_999, using: &random)) / 4)
            }
            let time = Int64.random(in: 1...9_999_999_999_999, using: &random)
            _ = fixture.read(milliseconds: time)
            let raw = try SnappyBlock.decode(fixture.encoded(fixture.block))
            let request = try WriteRequest(raw: raw)
            #expect(try decode(raw) == request.protocText, "seed \(seed)")
        }
    }

    @Test func `our decompressor and the independent one agree`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix(seed: seed)
        for size in [0, 1, 59, 60, 61, 255, 256, 65_535, 65_536, 300_000] {
            let input = (0..<size).map { _ in UInt8(random.next() % (size.isMultiple(of: 2) ? 3 : 256)) }
            var output: [UInt8] = [9, 9]
            let count = Snappy.compress(input[...], into: &output)
            let body = Array(output[..<count])
            #expect(try SnappyBlock.decode(body) == input, "seed \(seed)")
            #expect(Snappy.decompress(body, limit: size) == input, "seed \(seed)")
            if size > 0 { #expect(Snappy.decompress(body, limit: size - 1) == nil) }
        }
        #expect(Snappy.decompress([5, 1, 2], limit: 100) == nil)
    }
}

extension WriteRequest {
    /// The text that `protoc --decode` prints.
    fileprivate var protocText: String {
        var text = ""
        for series in series {
            text += "timeseries {\n"
            for (name, value) in zip(series.names, series.values) {
                text += "  labels {\n    name: \"\(Self.escaped(name))\"\n    value: \"\(Self.escaped(value))\"\n  }\n"
            }
            for sample in series.samples {
                text += "  samples {\n"
                if sample.value != 0 { text += "    value: \(Self.number(sample.value))\n" }
                text += "    timestamp: \(sample.milliseconds)\n  }\n"
            }
            text += "}\n"
        }
        return text
    }

    private static func number(_ value: Double) -> String {
        value.rounded() == value && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
    }

    private static func escaped(_ text: String) -> String {
        text.utf8.map { byte in
            switch byte {
            case UInt8(ascii: "\n"): #"\n"#
            case UInt8(ascii: "\""): #"\""#
            case UInt8(ascii: "\\"): #"\\"#
            case 0x20..<0x7F: String(UnicodeScalar(byte))
            default: "\\" + String(byte >> 6) + String(byte >> 3 & 7) + String(byte & 7)
            }
        }.joined()
    }
}
