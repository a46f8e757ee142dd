import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// First zeros that are dropped before they were sent.
@Suite struct LostStartTests {
    /// Fills the memory of a delivery. Returns the text of what is sent in the end.
    private func overflow(
        idle: Int64 = 15, ticks: Int64, _ change: (Registry, Int64) throws -> Void
    ) throws -> [String] {
        var fixture = try SeriesTableFixture(idle: idle)
        fixture.settles = false
        var settings = DeliverySettings()
        settings.queue = ByteCount(500)
        // Readings are not merged.
        var delivery = Delivery(settings, samples: 199)
        for tick in 1...ticks {
            try change(fixture.registry, tick)
            #expect(fixture.read(milliseconds: 15_000 * tick) == .made)
            delivery.enqueue(fixture.block, &fixture.table)
            let s = delivery.statistics
            #expect(s.enqueued == s.accepted + s.rejected + s.ambiguous + s.droppedInAll + s.pending)
            #expect(s.queue_bytes <= settings.queue.bytes)
        }
        #expect(delivery.statistics.droppedInAll > 0)
        let time = MonotonicTime(nanoseconds: 0)
        var lines: [String] = []
        while case .send(let attempt) = delivery.next(at: time, &fixture.table) {
            let request = try WriteRequest(compressed: attempt.body)
            #expect(request.series.reduce(0) { $0 + $1.samples.count } == attempt.samples)
            for series in request.series where series.text.hasPrefix("t_") {
                let name = series.text.prefix { $0 != "{" }
                lines.append(
                    "\(name): " + series.samples.map { "\(Int($0.value))@\($0.milliseconds)" }.joined(separator: " "))
            }
            _ = delivery.settle(
                shard: attempt.shard, .answer(204), at: time, wall: Timestamp(seconds: 0), &fixture.table)
            let s = delivery.statistics
            #expect(s.enqueued == s.accepted + s.rejected + s.ambiguous + s.droppedInAll + s.pending)
        }
        #expect(delivery.statistics.queue_bytes == 0 && delivery.isEmpty)
        return lines
    }

    @Test func `a zero that is dropped with its batch is put before what waits`() throws {
        let lines = try overflow(ticks: 9) { registry, tick in
            if tick == 2 { registry.counter("t_total", "T.").series()?.increment(by: 3) }
        }
        let first = try #require(lines.first)
        #expect(lines.count < 8)
        let tick = 10 - lines.count
        #expect(first == "t_total: 0@\(15_000 * tick - 1) 3@\(15_000 * tick)")
        #expect(lines.dropFirst().allSatisfy { $0.hasPrefix("t_total: 3@") })
    }

    @Test func `a histogram gets all of its zeros back`() throws {
        let lines = try overflow(ticks: 9) { registry, tick in
            if tick == 2 { registry.histogram("t_seconds", "T.", bounds: [1]).series()?.observe(5) }
        }
        let zeros = lines.filter { $0.contains(": 0@") && $0.contains(" ") && $0.split(separator: " ").count == 3 }
        #expect(
            zeros.map { $0.prefix { $0 != ":" } }.sorted() == [
                "t_seconds_bucket", "t_seconds_bucket", "t_seconds_count", "t_seconds_sum",
            ])
    }

    @Test func `a series that was there from the beginning gets none`() throws {
        let lines = try overflow(ticks: 9) { registry, tick in
            if tick == 1 { registry.counter("t_total", "T.").series()?.increment(by: 3) }
        }
        #expect(lines.allSatisfy { $0.hasPrefix("t_total: 3@") && $0.split(separator: " ").count == 2 })
    }
}
