import Metrics
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing

private let newlines = "First line.\nSecond line."
private let special = #"Back\slash, "quotes", tab\#tand 漢字."#

/// A registry with a family of each kind.
private let plain = Result {
    try Exchange.capture(
        .auto,
        prepare: { registry in
            let counter = registry.counter("test_counted_total", "Counted.", labels: ["n"])
            for name in ["a", "b", "c"] { try #require(counter.series([name])).increment() }
            try #require(registry.gauge("test_size_bytes", newlines).series()).set(5)
            try #require(registry.gauge("test_special", special).series()).set(6)
            let wait = try #require(
                registry.histogram("test_wait_seconds", "Waits.", bounds: [100, 200, 300]).series())
            wait.set(.init(counts: [60, 30, 9, 1], sum: 250.5))
            try #require(registry.histogram("test_empty_seconds", "None.", bounds: [1]).series()).set(
                .init(counts: [0, 0], sum: 0))
            try #require(registry.histogram("test_large_seconds", "Many.", bounds: [1]).series()).set(
                .init(counts: [999_999_999, 1], sum: 5e8))
            let many = registry.gauge("test_many", "Many labels.", labels: (0..<20).map { "label_\($0)" })
            for one in 0..<3 { try #require(many.series((0..<20).map { "\(one) \($0)" })).set(1) }
        })
}

private func all() throws -> Capture { try plain.get().expectingAllV2() }

/// The metadata of all series with this name, each kind once.
private func metadata(_ name: String) throws -> [WriteRequest.Metadata] {
    try all().series(named: name).reduce(into: []) { found, series in
        let metadata = series.metadata ?? .init()
        if !found.contains(metadata) { found.append(metadata) }
    }
}

/// The section *metadata* of the suite for 2.0.
@Suite struct MetadataLines {
    @Test func `metadata: counter type`() throws {
        #expect(try metadata("test_counted_total").map(\.type) == [.counter])
    }

    @Test func `metadata: gauge type`() throws {
        #expect(try metadata("test_size_bytes").map(\.type) == [.gauge])
        #expect(try metadata("up").map(\.type) == [.gauge])
    }

    @Test func `metadata: histogram type`() throws {
        for part in ["bucket", "sum", "count"] {
            #expect(try metadata("test_wait_seconds_\(part)").map(\.type) == [.histogram])
        }
    }

    @Test func `metadata: help`() throws {
        #expect(try metadata("test_counted_total").map(\.help) == ["Counted."])
        #expect(try all().series.allSatisfy { $0.metadata?.help.isEmpty == false })
    }

    @Test func `metadata: unit`() throws {
        #expect(try metadata("test_size_bytes").map(\.unit) == ["bytes"])
        #expect(try metadata("test_wait_seconds_sum").map(\.unit) == ["seconds"])
        #expect(try metadata("test_special").map(\.unit) == [""])
    }

    @Test func `metadata: newlines`() throws {
        #expect(try metadata("test_size_bytes").map(\.help) == [newlines])
    }

    @Test func `metadata: special characters`() throws {
        #expect(try metadata("test_special").map(\.help) == [special])
    }

    /// The decoder takes a reference beyond the symbols for a fault, and `protoc` finds the same texts.
    @Test func `metadata: refs valid`() throws {
        for request in try all().recorded {
            let decoded = try request.decoded()
            let protoc = try WriteRequest(protoc: SnappyBlock.decode(request.body), .v2)
            #expect(protoc.series.map(\.metadata) == decoded.series.map(\.metadata))
        }
    }

    @Test func `metadata: consistent across series`() throws {
        for name in Set(try all().series.map(\.name)) { #expect(try metadata(name).count == 1, "\(name)") }
    }
}

/// The section *histograms* of the suite for 2.0. A histogram here is a classic one: buckets, sum and count.
@Suite struct HistogramLines {
    private func bucketValues(_ name: String, _ bounds: [String]) throws -> [[Double]] {
        let capture = try all()
        return bounds.map { bound in
            capture.samples(of: #"\#(name)_bucket{instance="one",job="lkpush",le="\#(bound)"}"#).map(\.value)
        }
    }

    private func values(_ name: String) throws -> Set<Double> { Set(try all().samples(name).map(\.value)) }

    @Test func `histograms: classic or native present`() throws {
        let buckets = try bucketValues("test_wait_seconds", ["100", "200", "300", "+Inf"])
        #expect(buckets.map(Set.init) == [[60], [90], [99], [100]])
    }

    @Test func `histograms: count 100`() throws { #expect(try values("test_wait_seconds_count") == [100]) }
    @Test func `histograms: sum 250.5`() throws { #expect(try values("test_wait_seconds_sum") == [250.5]) }

    @Test func `histograms: ordered`() throws {
        let accepted = try all().log.accepted.filter { $0.key.hasPrefix("test_wait_seconds") }
        #expect(accepted.count == 6)
        for (_, samples) in accepted {
            let times = samples.map(\.milliseconds)
            #expect(zip(times, times.dropFirst()).allSatisfy { $0 < $1 })
        }
        // The series of a histogram go together.
        #expect(Set(accepted.values.map { $0.map(\.milliseconds) }).count == 1)
    }

    @Test func `histograms: timestamp above 0`() throws {
        let samples = try all().series.filter { $0.metadata?.type == .histogram }.flatMap(\.samples)
        #expect(!samples.isEmpty && samples.allSatisfy { $0.milliseconds > 0 })
    }

    @Test func `histograms: never mixed with samples`() throws {
        #expect(try all().series.allSatisfy { $0.histograms == 0 && !$0.samples.isEmpty })
    }

    @Test func `histograms: count 0`() throws {
        #expect(try values("test_empty_seconds_count") == [0] && values("test_empty_seconds_sum") == [0])
        #expect(try bucketValues("test_empty_seconds", ["1", "+Inf"]).map(Set.init) == [[0], [0]])
    }

    @Test func `histograms: 1e9`() throws {
        #expect(try values("test_large_seconds_count") == [1e9])
        #expect(try bucketValues("test_large_seconds", ["1", "+Inf"]).map(Set.init) == [[999_999_999], [1e9]])
    }
}

/// The section *combined* of the suite for 2.0.
@Suite struct CombinedLines {
    @Test func `combined: COUNTER type and help`() throws {
        #expect(try metadata("test_counted_total") == [.init(type: .counter, help: "Counted.")])
    }

    @Test func `combined: histogram and metadata`() throws {
        #expect(try metadata("test_wait_seconds_count") == [.init(type: .histogram, help: "Waits.", unit: "seconds")])
    }

    @Test func `combined: multiple types`() throws {
        let types = try all().requests.map { Set($0.series.compactMap { $0.metadata?.type }) }
        #expect(types.contains([.counter, .gauge, .histogram]))
    }

    @Test func `combined: at least 6 series`() throws {
        #expect(try all().requests.contains { $0.series.count >= 6 })
    }

    @Test func `combined: complete family`() throws {
        let requests = try all().requests.filter { !$0.series(named: "test_wait_seconds_sum").isEmpty }
        #expect(!requests.isEmpty)
        for request in requests {
            #expect(request.series(named: "test_wait_seconds_bucket").count == 4)
            #expect(request.series(named: "test_wait_seconds_count").count == 1)
        }
    }

    @Test func `combined: many labels and metadata`() throws {
        let many = try all().series(named: "test_many")
        #expect(Set(many.map(\.text)).count == 3)
        #expect(many.allSatisfy { $0.names.count == 23 && $0.metadata?.help == "Many labels." })
    }

    @Test func `combined: real world`() throws {
        #expect(try all().series.allSatisfy { !$0.name.isEmpty && $0.histograms == 0 && $0.exemplars == 0 })
    }
}
