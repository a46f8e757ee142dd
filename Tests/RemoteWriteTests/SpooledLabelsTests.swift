import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// Samples of an earlier process whose series the new one has in another form, or not at all.
@Suite struct SpooledLabelsTests {
    /// A process with its own table and delivery. The spool and the receiver outlive it.
    private struct Process {
        var fixture: SeriesTableFixture
        var delivery: Delivery

        init(_ registry: Registry, external: [(name: String, value: String)] = [], after last: Int64? = nil) throws {
            fixture = try SeriesTableFixture(push: 15, external: external, registry: registry)
            fixture.settles = false
            var settings = DeliverySettings()
            settings.spool = SpoolBounds(bytes: 1 << 20, age: .seconds(3_600))
            delivery = Delivery(settings)
        }

        /// A reading, and all steps that can be taken with a receiver that answers so.
        mutating func tick(
            _ seconds: Int64, _ status: Int, _ spool: inout MemorySpool, _ receiver: inout StrictReceiver,
            restores: Bool = false
        ) throws {
            let wall = Timestamp(milliseconds: 1_700_000_000_000 + seconds * 1_000)
            let time = MonotonicTime(nanoseconds: seconds * 1_000_000_000)
            #expect(fixture.read(milliseconds: wall.milliseconds) == .made)
            if restores { delivery.restore(spool.contents, &fixture.table) }
            delivery.noteTick(at: time)
            delivery.enqueue(fixture.block, &fixture.table)
            while true {
                switch delivery.next(at: time, &fixture.table) {
                case .spool(let order): delivery.take(spool.carryOut(order), at: time, &fixture.table)
                case .send(let attempt):
                    var answer = status
                    if status == 204 {
                        let request = try WriteRequest(compressed: attempt.body)
                        #expect(Set(request.series.map(\.text)).count == request.series.count, "a series comes once")
                        answer = receiver.take(request) ? 204 : 400
                        #expect(answer == 204)
                    }
                    _ = delivery.settle(shard: attempt.shard, .answer(answer), at: time, wall: wall, &fixture.table)
                default: return
                }
            }
        }
    }

    private func times(_ receiver: StrictReceiver, _ series: String) -> [Int64] {
        (receiver.stored[series] ?? []).map { ($0.milliseconds - 1_700_000_000_000) / 1_000 }
    }

    @Test func `buckets with other bounds and the same sum and count arrive in the order of time`() throws {
        var spool = MemorySpool()
        var receiver = StrictReceiver()
        for (number, bounds) in [[1.0, 2], [1, 5], [1, 2, 5]].enumerated() {
            let registry = Registry(maxSeries: 1_000)
            try #require(registry.histogram("t_seconds", "T.", labels: ["n"], bounds: bounds).series(["a"])).observe(1)
            var process = try Process(registry)
            let start = Int64(number) * 100
            for tick in 0..<3 {
                try process.tick(start + Int64(tick) * 15, 503, &spool, &receiver, restores: number > 0 && tick == 0)
            }
            guard number == 2 else { continue }
            for tick in 3..<6 { try process.tick(start + 45 + Int64(tick) * 15, 204, &spool, &receiver) }
            #expect(process.delivery.statistics.droppedInAll + process.delivery.statistics.rejected == 0)
        }
        #expect(receiver.reorderings.isEmpty && receiver.contradictions.isEmpty)
        let all: [Int64] = [0, 15, 30, 100, 115, 130, 200, 215, 230, 290, 305, 320]
        #expect(times(receiver, #"t_seconds_count{instance="i",job="j",n="a"}"#) == all)
        #expect(times(receiver, #"t_seconds_bucket{instance="i",job="j",le="1",n="a"}"#) == all)
        #expect(
            times(receiver, #"t_seconds_bucket{instance="i",job="j",le="2",n="a"}"#) == [
                0, 15, 30, 200, 215, 230, 290, 305, 320,
            ])
        #expect(!spool.exists)
    }

    @Test func `samples keep the external labels of the process that read them`() throws {
        var spool = MemorySpool()
        var receiver = StrictReceiver()
        // The last label is one that the series has itself: there, nothing changes.
        let external: [[(name: String, value: String)]] = [
            [("region", "a"), ("n", "x")], [("region", "b"), ("n", "y")], [("region", "b"), ("n", "z")],
        ]
        for (number, labels) in external.enumerated() {
            let registry = Registry(maxSeries: 1_000)
            try #require(registry.counter("t_total", "T.", labels: ["n"]).series(["own"])).increment()
            var process = try Process(registry, external: labels)
            let start = Int64(number) * 100
            for tick in 0..<2 {
                try process.tick(start + Int64(tick) * 15, 503, &spool, &receiver, restores: number > 0 && tick == 0)
            }
            guard number == 2 else { continue }
            for tick in 2..<5 { try process.tick(start + 45 + Int64(tick) * 15, 204, &spool, &receiver) }
            #expect(process.delivery.statistics.droppedInAll + process.delivery.statistics.rejected == 0)
        }
        #expect(receiver.reorderings.isEmpty && receiver.contradictions.isEmpty)
        #expect(times(receiver, #"t_total{instance="i",job="j",n="own",region="a"}"#) == [0, 15])
        #expect(
            times(receiver, #"t_total{instance="i",job="j",n="own",region="b"}"#) == [
                100, 115, 200, 215, 275, 290, 305,
            ])
        #expect(times(receiver, #"up{instance="i",job="j",n="x",region="a"}"#) == [0, 15])
        #expect(times(receiver, #"up{instance="i",job="j",n="z",region="b"}"#) == [200, 215, 275, 290, 305])
        #expect(!spool.exists)
    }

    @Test func `a series that the new process does not have keeps its labels, and one that comes back is the same`()
        throws
    {
        var spool = MemorySpool()
        var receiver = StrictReceiver()
        let first = Registry(maxSeries: 1_000)
        let before = first.counter("t_total", "T.", labels: ["n"])
        try #require(before.series(["gone"])).increment()
        try #require(before.series(["back"])).increment()
        var process = try Process(first)
        for tick in 0..<2 { try process.tick(Int64(tick) * 15, 503, &spool, &receiver) }
        let second = Registry(maxSeries: 1_000)
        let after = second.counter("t_total", "T.", labels: ["n"])
        process = try Process(second)
        try process.tick(60, 503, &spool, &receiver, restores: true)
        try #require(after.series(["back"])).increment(by: 5)
        try process.tick(75, 503, &spool, &receiver)
        for tick in 6..<10 { try process.tick(45 + Int64(tick) * 15, 204, &spool, &receiver) }
        #expect(receiver.reorderings.isEmpty && receiver.contradictions.isEmpty)
        #expect(times(receiver, #"t_total{instance="i",job="j",n="gone"}"#) == [0, 15])
        let back = receiver.stored[#"t_total{instance="i",job="j",n="back"}"#] ?? []
        #expect(back.map(\.value) == [1, 1, 0, 5, 5, 5, 5, 5])
        #expect(times(receiver, #"up{instance="i",job="j"}"#) == [0, 15, 60, 75, 135, 150, 165, 180])
        #expect(!spool.exists)
        let groups = process.fixture.table.groupCount
        try process.tick(210, 204, &spool, &receiver)
        try process.tick(225, 204, &spool, &receiver)
        #expect(process.fixture.table.groupCount <= groups)
    }
}
