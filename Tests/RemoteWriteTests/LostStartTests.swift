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
        var settings = DeliverySettings()
        settings.queue = ByteCount(1_300)
        var delivery = Delivery(settings, seed: 1)
        var effects: [Delivery.Effect] = []
        for tick in 1...ticks {
            try change(fixture.registry, tick)
            fixture.table.apply(fixture.registry.takeChanges())
            fixture.table.noteSettled(before: delivery.oldestSequence ?? .max)
            _ = fixture.table.read(at: Timestamp(seconds: 15 * tick), into: &fixture.writer)
            fixture.batches.removeAll()
            fixture.writer.finish(into: &fixture.batches)
            for batch in fixture.batches { delivery.enqueue(batch, into: &effects) }
            var index = 0
            while index < effects.count {
                if case .lost(let rows, let sequence, let wasAttempted) = effects[index] {
                    let starts = fixture.table.noteLoss(rows: rows, sequence: sequence, wasAttempted: wasAttempted)
                    fixture.table.noteRestart(delivery.restart(starts, after: sequence, into: &effects))
                }
                index += 1
            }
            effects.removeAll()
            let s = delivery.statistics
            #expect(s.enqueued == s.accepted + s.rejected + s.ambiguous + s.droppedInAll + s.pending)
            #expect(s.queue_bytes <= settings.queue.bytes)
        }
        #expect(delivery.statistics.droppedInAll > 0)
        let time = MonotonicTime(nanoseconds: 0)
        var lines: [String] = []
        while case .send(let attempt) = delivery.next(at: time, into: &effects) {
            let request = try WriteRequest(compressed: attempt.body)
            #expect(request.series.reduce(0) { $0 + $1.samples.count } == attempt.samples)
            for series in request.series where series.text.hasPrefix("t_") {
                let name = series.text.prefix { $0 != "{" }
                lines.append(
                    "\(name): " + series.samples.map { "\(Int($0.value))@\($0.milliseconds)" }.joined(separator: " "))
            }
            _ = delivery.settle(
                .answered(status: 204, retryAfter: nil, wasResent: false), at: time, wall: Timestamp(seconds: 0),
                into: &effects)
        }
        #expect(delivery.statistics.queue_bytes == 0)
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
