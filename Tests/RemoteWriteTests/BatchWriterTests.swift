import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

@Suite struct BatchWriterTests {
    /// A fixture with this many gauges, each with a label of random bytes.
    private func fixture(_ count: Int, labelSize: Int = 4) throws -> SeriesTableFixture {
        let fixture = try SeriesTableFixture()
        var random = SplitMix(seed: 7)
        let family = fixture.registry.gauge("t_now", "T.", labels: ["n", "filler"])
        for number in 0..<count {
            let filler = (0..<labelSize).map { _ in
                String(UnicodeScalar(UInt8.random(in: 0x21...0x7E, using: &random)))
            }.joined()
            try #require(family.series([String(number), filler])).set(number)
        }
        return fixture
    }

    private func read(_ fixture: inout SeriesTableFixture) {
        fixture.table.apply(fixture.registry.takeChanges())
        #expect(fixture.table.read(at: Timestamp(seconds: 1_700_000_000), into: &fixture.writer) == .made)
        fixture.writer.finish(into: &fixture.batches)
    }

    /// Checks that every series is there once, in the rows of its batch.
    private func check(_ fixture: SeriesTableFixture, _ count: Int) throws {
        var seen: Set<String> = []
        for batch in fixture.batches {
            let request = try WriteRequest(compressed: batch.body)
            #expect(batch.samples == request.series.reduce(0) { $0 + $1.samples.count })
            #expect(batch.rows.count >= request.series.count)
            #expect(batch.oldest == Timestamp(seconds: 1_700_000_000))
            #expect(batch.newest == Timestamp(seconds: 1_700_000_000))
            for series in request.series { #expect(seen.insert(series.text).inserted) }
        }
        #expect(seen.count { $0.hasPrefix("t_now") } == count)
        for (batch, next) in zip(fixture.batches, fixture.batches.dropFirst()) {
            #expect(batch.rows.upperBound <= next.rows.lowerBound)
        }
    }

    @Test func `a batch ends at the most samples`() throws {
        var fixture = try fixture(12_000)
        read(&fixture)
        #expect(fixture.batches.dropLast().allSatisfy { $0.samples == 5_000 })
        #expect(fixture.batches.map(\.sequence) == [1, 2, 3])
        try check(fixture, 12_000)
    }

    @Test func `a batch ends before too many decoded bytes`() throws {
        var fixture = try fixture(2_000, labelSize: 900)
        fixture.writer.limits.decoded_bytes = 300_000
        read(&fixture)
        for batch in fixture.batches { #expect(try SnappyBlock.decode(batch.body).count <= 300_000) }
        try check(fixture, 2_000)
    }

    @Test func `a batch that compresses badly is cut until it is small enough`() throws {
        var fixture = try fixture(2_000, labelSize: 900)
        fixture.writer.limits.compressed_bytes = 100_000
        read(&fixture)
        #expect(fixture.batches.count >= 18)
        #expect(fixture.batches.allSatisfy { $0.body.count <= 100_000 })
        try check(fixture, 2_000)
    }

    @Test func `a series that is larger than any request is still tried`() throws {
        var fixture = try fixture(3, labelSize: 900)
        fixture.writer.limits.compressed_bytes = 10
        fixture.writer.limits.decoded_bytes = 10
        read(&fixture)
        #expect(fixture.batches.dropFirst().allSatisfy { $0.samples == 1 })
        try check(fixture, 3)
    }

    @Test func `a histogram is not cut by the number of samples`() throws {
        var fixture = try SeriesTableFixture()
        fixture.writer.limits.samples = 7
        let family = fixture.registry.histogram("t_seconds", "T.", labels: ["a"], bounds: [1, 2])
        for number in 0..<10 { try #require(family.series([String(number)])).observe(1) }
        read(&fixture)
        for batch in fixture.batches {
            let request = try WriteRequest(compressed: batch.body)
            let histograms = request.series.count { $0.text.hasPrefix("t_seconds") }
            #expect(histograms.isMultiple(of: 5))
        }
    }

    @Test(arguments: [1, 500, 2_000])
    func `a histogram is not cut by the number of bytes`(_ bytes: Int) throws {
        var fixture = try SeriesTableFixture()
        fixture.writer.limits.compressed_bytes = bytes
        var random = SplitMix(seed: 9)
        let family = fixture.registry.histogram("t_seconds", "T.", labels: ["a"], bounds: [1, 2])
        for _ in 0..<20 {
            let noise = (0..<10).map { _ in String(random.next(), radix: 36) }.joined()
            try #require(family.series([noise])).observe(1)
        }
        read(&fixture)
        #expect(fixture.batches.count > 1)
        for batch in fixture.batches {
            let request = try WriteRequest(compressed: batch.body)
            #expect(request.series.count { $0.text.hasPrefix("t_seconds") }.isMultiple(of: 5))
        }
        #expect(fixture.batches.reduce(0) { $0 + $1.samples } == 20 * 5 + 3)
    }

    @Test func `a body that came back is used again`() throws {
        var fixture = try fixture(100)
        read(&fixture)
        let first = try #require(fixture.batches.first)
        fixture.writer.recycle(first.body)
        fixture.batches.removeAll()
        #expect(fixture.table.read(at: Timestamp(seconds: 1_700_000_015), into: &fixture.writer) == .made)
        fixture.writer.finish(into: &fixture.batches)
        let second = try #require(fixture.batches.first)
        #expect(
            try WriteRequest(compressed: second.body).series.count == WriteRequest(compressed: first.body).series.count)
        #expect(try WriteRequest(compressed: second.body).series[3].samples[0].milliseconds == 1_700_000_015_000)
    }

    @Test func `once warm, every body is one that came back`() throws {
        // These are more than sixteen requests of different sizes, like those of one tick with 93,000 series.
        var fixture = try fixture(1_000)
        fixture.writer.limits.samples = 30
        var addresses: [Set<UInt>] = []
        // These arrays take up memory that was freed, so that no address comes back by chance.
        var others: [[UInt8]] = []
        for tick in 0..<3 {
            fixture.table.apply(fixture.registry.takeChanges())
            let time = Timestamp(seconds: 1_700_000_000 + Int64(tick) * 15)
            #expect(fixture.table.read(at: time, into: &fixture.writer) == .made)
            fixture.writer.finish(into: &fixture.batches)
            addresses.append(
                Set(fixture.batches.map { $0.body.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) } }))
            let bodies = fixture.batches.map(\.body)
            fixture.batches.removeAll()
            for body in bodies { fixture.writer.recycle(body) }
            for size in [1_000, 2_000, 4_000, 16_000] {
                for _ in 0..<64 { others.append([UInt8](repeating: 1, count: size)) }
            }
        }
        #expect(others.count == 768)
        #expect(addresses[0].count > 30)
        #expect(addresses[2] == addresses[1] && addresses[1] == addresses[0])
    }
}
