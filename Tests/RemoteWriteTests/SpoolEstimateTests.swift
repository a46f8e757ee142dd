import Platform
import RemoteWrite
import Testing

@Suite struct SpoolEstimateTests {
    private func estimate(
        _ samples: Int, maxBytes: ByteCount = .mebibytes(256), maxAge: Duration = .seconds(7_200),
        room: ByteCount? = nil, every interval: Duration = .seconds(15)
    ) -> SpoolEstimate.Disk? {
        SpoolEstimate(
            DeliverySettings(), spool: (maxBytes, maxAge), room: room, samples: samples, every: interval
        ).disk
    }

    @Test func `93,000 series every 15 s fill both bounds together`() {
        #expect(estimate(93_000) == .init(lasts: .seconds(7_200), bound: .age))
        // 479 readings are 1 h 59 min 45 s.
        #expect(estimate(93_300) == .init(lasts: .seconds(479 * 15), bound: .bytes))
    }

    @Test func `the smallest of age, bytes and room ends the wait`() {
        #expect(estimate(10_000) == .init(lasts: .seconds(7_200), bound: .age))
        #expect(estimate(10_000, maxAge: .seconds(60)) == .init(lasts: .seconds(60), bound: .age))
        #expect(estimate(10_000, maxBytes: .mebibytes(6)) == .init(lasts: .seconds(104 * 15), bound: .bytes))
        #expect(estimate(10_000, room: .mebibytes(6)) == .init(lasts: .seconds(104 * 15), bound: .disk))
        #expect(estimate(10_000, room: ByteCount(0)) == .init(lasts: .zero, bound: .disk))
        // More room than it may take is no bound.
        #expect(estimate(200_000, room: .mebibytes(4_000))?.bound == .bytes)
        #expect(estimate(10_000, maxBytes: .mebibytes(6), every: .seconds(60))?.lasts == .seconds(104 * 60))
    }

    @Test func `without a spool only memory holds something, and nothing is divided by zero`() {
        let none = SpoolEstimate(DeliverySettings(), spool: nil, room: nil, samples: 0, every: .seconds(15))
        #expect(none.disk == nil && none.samples == 1)
        let some = SpoolEstimate(DeliverySettings(), spool: nil, room: nil, samples: 10_000, every: .seconds(15))
        #expect(some.memory == DeliverySettings().outage(samples: 10_000, every: .seconds(15)))
    }

    @Test func `a histogram has a sample for each of its rows, and up is one more`() {
        let keys = [("h", "a"), ("h", "b"), ("c", "a"), ("unknown", "a")].map {
            SeriesKey(family: $0, labelValues: [$1])
        }
        #expect(SpoolEstimate.samples(of: keys, rows: ["h": 14, "c": 1]) == 31)
        #expect(SpoolEstimate.samples(of: [], rows: [:]) == 1)
    }
}
