import Metrics
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing

private let texts: [String: String] = [
    "unicode": "Zürich 東京 🏢", "quotes": #"say "hi" \ and"# + "\nnext line\t.", "spaces": " a  b ",
]

/// A registry with labels of all kinds, pushed with 2.0.
private let plain = Result {
    try Exchange.capture(
        .auto,
        settings: { settings in
            settings.labels = try CommonLabels(
                job: "lkpush", instance: "one",
                external: [
                    ("environment", "test"), ("long_value", longValue), (longName, "named"), ("nothing", ""),
                ])
        },
        prepare: { registry in
            let family = registry.gauge("test_text", "Texts.", labels: ["Upper", "_under", "a1", "nothing"])
            for (key, text) in texts { try #require(family.series([key, text, "1", ""])).set(1) }
            let many = registry.gauge("test_many", "Many.", labels: (0..<40).map { "label_\($0)" })
            try #require(many.series((0..<40).map { "value \($0)" })).set(1)
            try #require(registry.counter("test:rule_total", "Colons.").series()).increment()
            let long = registry.gauge("test_cut", "Cut.", labels: ["n"])
            try #require(long.series([String(repeating: "ö", count: 6_000)])).set(1)
            try #require(registry.histogram("test_h_seconds", "H.", bounds: [0.1, 30]).series()).observe(1)
        })
}

private let longValue = String(repeating: "0123456789", count: 1_024)
private let longName = "a" + String(repeating: "_name", count: 100)

private func all() throws -> Capture { try plain.get().expectingAllV2() }

/// The section *symbols* of the suite for 2.0.
@Suite struct SymbolLines {
    @Test func `symbols: index 0 is empty`() throws {
        #expect(try all().requests.allSatisfy { $0.symbols.first == "" })
    }

    @Test func `symbols: no duplicates`() throws {
        for request in try all().requests {
            #expect(Set(request.symbols.map { Array($0.utf8) }).count == request.symbols.count)
        }
    }

    /// The decoder takes a reference beyond the symbols for a fault, and an odd number of them too.
    @Test func `symbols: refs below the number of symbols`() throws {
        let capture = try all()
        #expect(capture.requests.count == capture.recorded.count)
        #expect(capture.requests.allSatisfy { request in request.series.allSatisfy { $0.names.count >= 3 } })
    }

    @Test func `symbols: even length`() throws {
        for request in try all().recorded {
            let protoc = try WriteRequest(protoc: SnappyBlock.decode(request.body), .v2)
            #expect(protoc.series.allSatisfy { $0.names.count == $0.values.count && !$0.names.isEmpty })
        }
    }

    @Test func `symbols: TestSymbolTableEfficiency`() throws {
        let requests = try all().requests
        #expect(requests.allSatisfy { $0.unusedSymbols == 0 })
        // The first request has one series. The suite's own scrape needs about as many symbols, and may have 30.
        #expect(try #require(requests.first).symbols.count <= 30)
    }
}

/// The section *labels* of the suite for 2.0.
@Suite struct LabelLines {
    @Test func `labels: lexicographic order`() throws {
        let series = try all().series
        #expect(series.allSatisfy { $0.names == $0.names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } })
        // Capitals sort before the underscore, and that before small letters.
        let names = try #require(series.first { $0.name == "test_text" }).names
        #expect(names.starts(with: ["Upper", "__name__", "_under", "a1", longName, "environment"]))
    }

    @Test func `labels: __name__ present`() throws {
        #expect(try all().series.allSatisfy { $0.names.count { $0 == "__name__" } == 1 && !$0.name.isEmpty })
    }

    @Test func `labels: metric-name regex`() throws {
        #expect(try all().series.allSatisfy { $0.name.wholeMatch(of: #/[a-zA-Z_:][a-zA-Z0-9_:]*/#) != nil })
    }

    @Test func `labels: label-name regex`() throws {
        let names = Set(try all().series.flatMap(\.names))
        #expect(names.count > 40)
        #expect(names.allSatisfy { $0.wholeMatch(of: #/[a-zA-Z_][a-zA-Z0-9_]*/#) != nil })
    }

    @Test func `labels: no duplicates`() throws {
        #expect(try all().series.allSatisfy { Set($0.names).count == $0.names.count })
    }

    @Test func `labels: no empty names`() throws {
        #expect(try all().series.allSatisfy { !$0.names.contains("") })
    }

    /// The suite allows empty values and the specification forbids them. They are left out.
    @Test func `labels: empty values`() throws {
        let series = try all().series
        #expect(series.allSatisfy { !$0.values.contains("") && !$0.names.contains("nothing") })
    }

    @Test func `labels: no __* except __name__`() throws {
        let names = Set(try all().series.flatMap(\.names))
        #expect(names.filter { $0.hasPrefix("__") } == ["__name__"])
    }

    private func expectText(_ key: String) throws {
        let series = try all().series.filter { $0.value(of: "Upper") == key }
        #expect(!series.isEmpty)
        let wanted = try #require(texts[key]).utf8
        #expect(series.allSatisfy { $0.value(of: "_under")?.utf8.elementsEqual(wanted) == true })
    }

    @Test func `labels: Unicode`() throws { try expectText("unicode") }
    @Test func `labels: quotes, backslash, newline`() throws { try expectText("quotes") }

    @Test func `labels: very long names`() throws {
        #expect(try all().series.allSatisfy { $0.value(of: longName) == "named" })
    }

    /// An operator's value stays whole. A stranger's is cut between two characters, as *Metrics* in the specification
    /// has it.
    @Test func `labels: very long values`() throws {
        let series = try all().series
        #expect(series.allSatisfy { $0.value(of: "long_value") == longValue })
        let cut = try #require(series.first { $0.name == "test_cut" }?.value(of: "n"))
        #expect(cut == String(repeating: "ö", count: Registry.Limits.labelValue_bytes / 2))
    }

    @Test func `labels: many labels`() throws {
        let series = try #require(try all().series.first { $0.name == "test_many" })
        #expect((0..<40).allSatisfy { series.value(of: "label_\($0)") == "value \($0)" })
    }

    @Test func `labels: shortest form of le`() throws {
        let series = try all().series(named: "test_h_seconds_bucket")
        #expect(Set(series.compactMap { $0.value(of: "le") }) == ["0.1", "30", "+Inf"])
    }
}
