import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

@Suite struct BatchWriterTests {
    /// A rig with that many gauges, whose label has that many random bytes.
    private func rig(_ count: Int, labelSize: Int = 4) throws -> TableRig {
        let rig = try TableRig()
        var random = SplitMix(seed: 7)
        let family = rig.registry.gauge("t_now", "T.", labels: ["n", "filler"])
        for number in 0..<count {
            let filler = (0..<labelSize).map { _ in
                String(UnicodeScalar(UInt8.random(in: 0x21...0x7E, using: &random)))
            }.joined()
            try #require(family.series([String(number), filler])).set(number)
        }
        return rig
    }

    private func read(_ rig: inout TableRig) {
        rig.table.apply(rig.registry.takeChanges())
        #expect(rig.table.read(at: Timestamp(seconds: 1_700_000_000), into: &rig.writer) == .made)
        rig.writer.finish(into: &rig.batches)
    }

    /// Every series once, in the rows of its batch.
    private func check(_ rig: TableRig, _ count: Int) throws {
        var seen: Set<String> = []
        for batch in rig.batches {
            let request = try WriteRequest(compressed: batch.body)
            #expect(batch.samples == request.series.reduce(0) { $0 + $1.samples.count })
            #expect(batch.rows.count >= request.series.count)
            #expect(batch.oldest == Timestamp(seconds: 1_700_000_000))
            #expect(batch.newest == Timestamp(seconds: 1_700_000_000))
            for series in request.series { #expect(seen.insert(series.text).inserted) }
        }
        #expect(seen.count { $0.hasPrefix("t_now") } == count)
        for (batch, next) in zip(rig.batches, rig.batches.dropFirst()) {
            #expect(batch.rows.upperBound <= next.rows.lowerBound)
        }
    }

    @Test func `a batch ends at the most samples`() throws {
        var rig = try rig(12_000)
        read(&rig)
        #expect(rig.batches.dropLast().allSatisfy { $0.samples == 5_000 })
        #expect(rig.batches.map(\.sequence) == [1, 2, 3])
        try check(rig, 12_000)
    }

    @Test func `a batch ends before too many decoded bytes`() throws {
        var rig = try rig(2_000, labelSize: 900)
        rig.writer.limits.decoded_bytes = 300_000
        read(&rig)
        for batch in rig.batches { #expect(try SnappyBlock.decode(batch.body).count <= 300_000) }
        try check(rig, 2_000)
    }

    @Test func `a batch that compresses badly is cut until it is small enough`() throws {
        var rig = try rig(2_000, labelSize: 900)
        rig.writer.limits.compressed_bytes = 100_000
        read(&rig)
        #expect(rig.batches.count >= 18)
        #expect(rig.batches.allSatisfy { $0.body.count <= 100_000 })
        try check(rig, 2_000)
    }

    @Test func `a series that is larger than any request is still tried`() throws {
        var rig = try rig(3, labelSize: 900)
        rig.writer.limits.compressed_bytes = 10
        rig.writer.limits.decoded_bytes = 10
        read(&rig)
        #expect(rig.batches.dropFirst().allSatisfy { $0.samples == 1 })
        try check(rig, 3)
    }

    @Test func `a histogram is not cut by the number of samples`() throws {
        var rig = try TableRig()
        rig.writer.limits.samples = 7
        let family = rig.registry.histogram("t_seconds", "T.", labels: ["a"], bounds: [1, 2])
        for number in 0..<10 { try #require(family.series([String(number)])).observe(1) }
        read(&rig)
        for batch in rig.batches {
            let request = try WriteRequest(compressed: batch.body)
            let histograms = request.series.count { $0.text.hasPrefix("t_seconds") }
            #expect(histograms.isMultiple(of: 5))
        }
    }

    @Test(arguments: [1, 500, 2_000])
    func `a histogram is not cut by the number of bytes`(_ bytes: Int) throws {
        var rig = try TableRig()
        rig.writer.limits.compressed_bytes = bytes
        var random = SplitMix(seed: 9)
        let family = rig.registry.histogram("t_seconds", "T.", labels: ["a"], bounds: [1, 2])
        for _ in 0..<20 {
            let noise = (0..<10).map { _ in String(random.next(), radix: 36) }.joined()
            try #require(family.series([noise])).observe(1)
        }
        read(&rig)
        #expect(rig.batches.count > 1)
        for batch in rig.batches {
            let request = try WriteRequest(compressed: batch.body)
            #expect(request.series.count { $0.text.hasPrefix("t_seconds") }.isMultiple(of: 5))
        }
        #expect(rig.batches.reduce(0) { $0 + $1.samples } == 20 * 5 + 3)
    }

    @Test func `a body that came back is used again`() throws {
        var rig = try rig(100)
        read(&rig)
        let first = try #require(rig.batches.first)
        rig.writer.recycle(first.body)
        rig.batches.removeAll()
        #expect(rig.table.read(at: Timestamp(seconds: 1_700_000_015), into: &rig.writer) == .made)
        rig.writer.finish(into: &rig.batches)
        let second = try #require(rig.batches.first)
        #expect(
            try WriteRequest(compressed: second.body).series.count == WriteRequest(compressed: first.body).series.count)
        #expect(try WriteRequest(compressed: second.body).series[3].samples[0].milliseconds == 1_700_000_015_000)
    }

    @Test func `once warm, every body is one that came back`() throws {
        // More than sixteen requests whose sizes differ, as those of one tick at 93,000 series.
        var rig = try rig(1_000)
        rig.writer.limits.samples = 30
        var addresses: [Set<UInt>] = []
        // They take the place of whatever is given back to the system, so that it cannot come again by chance.
        var others: [[UInt8]] = []
        for tick in 0..<3 {
            rig.table.apply(rig.registry.takeChanges())
            let time = Timestamp(seconds: 1_700_000_000 + Int64(tick) * 15)
            #expect(rig.table.read(at: time, into: &rig.writer) == .made)
            rig.writer.finish(into: &rig.batches)
            addresses.append(
                Set(rig.batches.map { $0.body.withUnsafeBytes { UInt(bitPattern: $0.baseAddress) } }))
            let bodies = rig.batches.map(\.body)
            rig.batches.removeAll()
            for body in bodies { rig.writer.recycle(body) }
            for size in [1_000, 2_000, 4_000, 16_000] {
                for _ in 0..<64 { others.append([UInt8](repeating: 1, count: size)) }
            }
        }
        #expect(others.count == 768)
        #expect(addresses[0].count > 30)
        #expect(addresses[2] == addresses[1] && addresses[1] == addresses[0])
    }
}
