import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// Readings of the registry: what is in them, and what several of them are as one.
@Suite struct RegistryReadingTests {
    /// A table that takes readings, and whose receiver has everything at once.
    private struct Table {
        var table: SeriesTable
        var encoder = RequestEncoder()
        var block = SampleBlock()

        init() throws {
            table = SeriesTable(
                labels: try CommonLabels(job: "j", instance: "i"),
                schedule: .init(pushInterval: .seconds(15), idleInterval: .seconds(15)))
        }

        /// Takes a reading. Returns the samples with its time, sorted.
        mutating func take(_ reading: RegistryReading) throws -> [String] {
            #expect(table.take(reading, into: &block) == .made)
            var body: [UInt8] = []
            _ = encoder.encode(
                block.samples[...], base: block.base, as: .v1, withMetadata: false, &table, into: &body)
            table.noteAttempt(block.samples[...])
            table.noteAccepted(block.samples[...])
            return try WriteRequest(compressed: body).series.flatMap { series in
                series.samples.filter { $0.milliseconds == reading.time.milliseconds }
                    .map { "\(series.text) \($0.isStale ? "stale" : Number.text($0.value))" }
            }.sorted()
        }
    }

    private func time(_ seconds: Int64) -> Timestamp { Timestamp(milliseconds: 1_700_000_000_000 + seconds * 1_000) }

    /// The label values of the series of these tests. A registry has some of its own.
    private func names(_ series: [Series]) -> [String] {
        series.filter { $0.family.name.hasPrefix("t_") }.map { $0.labelValues.joined(separator: " ") }
    }

    @Test func `a reading holds what came, went and changed, and nothing else`() throws {
        let registry = Registry(maxSeries: 100)
        let counters = registry.counter("t_total", "T.", labels: ["n"])
        let gauges = registry.gauge("t_now", "T.", labels: ["n"])
        let histograms = registry.histogram("t_seconds", "T.", labels: ["n"], bounds: [1, 2])
        let counter = try #require(counters.series(["a"]))
        let gauge = try #require(gauges.series(["b"]))
        let histogram = try #require(histograms.series(["c"]))
        var reader = RegistryReader(registry)
        let first = reader.read(at: time(0))
        #expect(names(first.changes.added).sorted() == ["a", "b", "c"] && names(first.changes.ended).isEmpty)
        let own = first.changes.added.count { !$0.family.name.hasPrefix("t_") }
        #expect(first.count == own + 1 + 1 + 5, "a histogram has its buckets, its sum and its count")
        #expect(reader.read(at: time(1)).count == 0)
        counter.increment()
        #expect(reader.read(at: time(2)).count == 1)
        gauge.set(4)
        histogram.observe(1.5)
        #expect(reader.read(at: time(3)).count == 6)
        gauges.end(["b"])
        let last = reader.read(at: time(4))
        #expect(last.count <= own && names(last.changes.ended) == ["b"] && names(last.changes.added).isEmpty)
        _ = try #require(gauges.series(["short"]))
        gauges.end(["short"])
        let none = reader.read(at: time(5))
        #expect(names(none.changes.added).isEmpty && names(none.changes.ended).isEmpty)
    }

    @Test func `the values of a histogram come together, and are those of the registry`() throws {
        let registry = Registry(maxSeries: 100)
        let histogram = try #require(registry.histogram("t_seconds", "T.", bounds: [1, 2]).series())
        var reader = RegistryReader(registry)
        var table = try Table()
        _ = try table.take(reader.read(at: time(0)))
        for value in [0.5, 1.5, 1.5, 7] { histogram.observe(value) }
        #expect(
            try table.take(reader.read(at: time(15))).filter { $0.hasPrefix("t") } == [
                #"t_seconds_bucket{instance="i",job="j",le="+Inf"} 4"#,
                #"t_seconds_bucket{instance="i",job="j",le="1"} 1"#,
                #"t_seconds_bucket{instance="i",job="j",le="2"} 3"#, #"t_seconds_count{instance="i",job="j"} 4"#,
                #"t_seconds_sum{instance="i",job="j"} 10.5"#,
            ])
    }

    @Test func `a slot that is used again gives no value to the series before`() throws {
        let registry = Registry(maxSeries: 100)
        let gauges = registry.gauge("t_now", "T.", labels: ["n"])
        try #require(gauges.series(["a"])).set(1)
        var reader = RegistryReader(registry)
        var table = try Table()
        _ = try table.take(reader.read(at: time(0)))
        gauges.end(["a"])
        try #require(gauges.series(["b"])).set(2)
        let reading = reader.read(at: time(15))
        #expect(reading.changes.ended.map(\.slot) == reading.changes.added.map(\.slot))
        #expect(
            try table.take(reading).filter { $0.hasPrefix("t") } == [
                #"t_now{instance="i",job="j",n="a"} stale"#, #"t_now{instance="i",job="j",n="b"} 2"#,
            ])
    }

    @Test func `tables that take the same readings hold the same samples`() throws {
        try generate { changes, reader, _ in
            var (one, other) = (try Table(), try Table())
            for seconds in 0..<60 as Range<Int64> {
                try changes()
                let reading = reader.read(at: time(seconds))
                #expect(try one.take(reading) == other.take(reading))
                #expect(one.block == other.block)
            }
        }
    }

    @Test func `several readings as one leave a table as they do one by one`() throws {
        for _ in 0..<20 {
            try generate { changes, reader, random in
                var (single, merging) = (try Table(), try Table())
                var seconds: Int64 = 0
                for _ in 0..<30 {
                    var merged: RegistryReading?
                    for _ in 0..<Int.random(in: 1...5, using: &random) {
                        seconds += 1
                        try changes()
                        let reading = reader.read(at: time(seconds))
                        _ = try single.take(reading)
                        merged = merged?.merged(with: reading) ?? reading
                    }
                    _ = try merging.take(try #require(merged))
                    seconds += 1
                    // This reading shows every series that is alive.
                    let quiet = reader.read(at: time(seconds))
                    #expect(try single.take(quiet) == merging.take(quiet))
                }
            }
        }
    }

    @Test func `a merge is the same however its parts are put together`() throws {
        try generate { changes, reader, random in
            for round in 0..<40 as Range<Int64> {
                var parts: [RegistryReading] = []
                for part in 0..<3 as Range<Int64> {
                    try changes()
                    parts.append(reader.read(at: time(round * 3 + part)))
                }
                let (left, right) = (
                    parts[0].merged(with: parts[1]).merged(with: parts[2]),
                    parts[0].merged(with: parts[1].merged(with: parts[2]))
                )
                #expect(names(left.changes.added) == names(right.changes.added))
                #expect(names(left.changes.ended).sorted() == names(right.changes.ended).sorted())
                #expect(left.count == right.count && left.time == right.time)
            }
        }
    }

    /// Calls `body` with a closure that changes a registry at random: series come, go and change.
    private func generate(
        _ body: (_ changes: () throws -> Void, _ reader: inout RegistryReader, _ random: inout SplitMix) throws -> Void
    ) throws {
        let seed = UInt64.random(in: 0 ... .max)
        print("seed \(seed)")
        var random = SplitMix(seed: seed)
        var inner = SplitMix(seed: seed &+ 1)
        let registry = Registry(maxSeries: 1_000)
        let counters = registry.counter("t_total", "T.", labels: ["n"])
        let gauges = registry.gauge("t_now", "T.", labels: ["n"])
        let histograms = registry.histogram("t_seconds", "T.", labels: ["n"], bounds: [1])
        var reader = RegistryReader(registry)
        try body(
            {
                for _ in 0..<Int.random(in: 0...6, using: &inner) {
                    let name = String(Int.random(in: 0..<4, using: &inner))
                    switch Int.random(in: 0..<9, using: &inner) {
                    case 0: counters.end([name])
                    case 1: gauges.end([name])
                    case 2: histograms.end([name])
                    case 3, 4: try #require(counters.series([name])).increment()
                    case 5, 6: try #require(gauges.series([name])).set(Double(Int.random(in: 0..<99, using: &inner)))
                    default: try #require(histograms.series([name])).observe(1)
                    }
                }
            }, &reader, &random)
    }
}
