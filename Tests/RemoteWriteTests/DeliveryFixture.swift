import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// A delivery, a clock in milliseconds, and an invariant that is checked after each step.
///
/// A reading holds as many gauges as a test asks for, all with the number of the reading as their value. Readings are
/// not merged, so each is one request.
final class DeliveryFixture {
    static let rows = 2_000

    let registry = Registry(maxSeries: 10_000)
    var table: SeriesTable
    var delivery: Delivery
    var now: Int64 = 0
    /// The shard of the request that was sent last.
    var shard = 0
    private var reading = 0
    private let gauges: [Gauge]

    init(
        _ change: (inout DeliverySettings) -> Void = { _ in }, samples: Int = 199, seed: UInt64 = 1
    ) throws {
        var settings = DeliverySettings()
        change(&settings)
        delivery = Delivery(settings, limits: BatchLimits(samples: samples), seed: seed)
        table = SeriesTable(
            labels: try CommonLabels(job: "j", instance: "i"),
            schedule: .init(pushInterval: .seconds(15), idleInterval: .seconds(240)))
        let family = registry.gauge("t_now", "T.", labels: ["n"])
        gauges = try (0..<Self.rows).map { try #require(family.series([String($0)])) }
        var reader = RegistryReader(registry)
        // The first reading holds every series, and is not sent. From then on a gauge is only in what a test makes.
        var block = SampleBlock()
        #expect(table.take(reader.read(at: wall), into: &block) == .made)
        table.noteAccepted(block.samples[...])
    }

    var time: MonotonicTime { MonotonicTime(nanoseconds: now * 1_000_000) }
    var wall: Timestamp { Timestamp(milliseconds: 1_700_000_000_000 + now) }
    var statistics: DeliveryStatistics { delivery.statistics }

    /// Enqueues a reading with this many samples. Returns its number.
    @discardableResult
    func enqueue(_ samples: Int = 10, isWithheld: Bool = false) -> Int {
        reading += 1
        let block = table.testBlock(rows: 1...samples, value: Double(reading), at: wall + .milliseconds(Int64(reading)))
        delivery.enqueue(block, isWithheld: isWithheld, &table)
        check()
        return reading
    }

    /// The same, with a sample of `up` before the others.
    func enqueueWithUp(_ samples: Int) {
        reading += 1
        let block = table.testBlock(rows: 0...samples, value: Double(reading), at: wall + .milliseconds(Int64(reading)))
        delivery.enqueue(block, &table)
        check()
    }

    /// Takes the next step, which must be a request. Returns the number of its reading too.
    @discardableResult
    func send() throws -> (reading: Int, attempt: Delivery.Attempt) {
        let step = delivery.next(at: time, &table)
        check()
        guard case .send(let attempt) = step else {
            Issue.record("\(step) instead of a request")
            throw CancellationError()
        }
        shard = attempt.shard
        return (try Self.reading(of: attempt), attempt)
    }

    static func reading(of attempt: Delivery.Attempt) throws -> Int {
        Int(
            try WriteRequest(compressed: attempt.body, attempt.message == .v2 ? .v2 : .v1).series.first?.samples.first?
                .value
                ?? 0)
    }

    /// The wait that the delivery asks for, in milliseconds, rounded up. Nil if it asks for none.
    func wait() -> Int64? {
        let step = delivery.next(at: time, &table)
        check()
        if case .wait(let until) = step { return (until.nanoseconds - now * 1_000_000 + 999_999) / 1_000_000 }
        return nil
    }

    /// The time until a request may begin, in milliseconds. Nil if one may begin now. Unlike `wait`, it begins none.
    func waitIfAny() -> Int64? {
        var copy = delivery
        var table = table
        guard case .wait(let until) = copy.next(at: time, &table) else { return nil }
        return (until.nanoseconds - now * 1_000_000 + 999_999) / 1_000_000
    }

    func isIdle() -> Bool {
        if case .idle = delivery.next(at: time, &table) { true } else { false }
    }

    @discardableResult
    func answer(
        _ status: Int, retryAfter: Duration? = nil, wasResent: Bool = false, written: UInt64? = nil, shard: Int? = nil
    ) -> Delivery.Verdict {
        settle(
            .answered(
                status: status, retryAfter: retryAfter, wasResent: wasResent,
                written: Delivery.Written(samples: written)), shard)
    }

    @discardableResult
    func fail(mayHaveArrived: Bool) -> Delivery.Verdict { settle(.failed(mayHaveArrived: mayHaveArrived), nil) }

    private func settle(_ outcome: Delivery.Outcome, _ shard: Int?) -> Delivery.Verdict {
        let verdict = delivery.settle(shard: shard ?? self.shard, outcome, at: time, wall: wall, &table)
        check()
        return verdict
    }

    /// Checks the invariant of the counters.
    func check() {
        let s = statistics
        #expect(s.enqueued == s.accepted + s.rejected + s.ambiguous + s.droppedInAll + s.pending)
        #expect(s.queue_bytes >= 0)
        #expect((s.pending == 0) == delivery.isEmpty)
    }
}

extension SeriesTable {
    /// A reading of these rows, which all have the same value.
    mutating func testBlock(rows: ClosedRange<Int>, value: Double, at time: Timestamp) -> SampleBlock {
        var block = SampleBlock()
        block.fill(rows: rows, value, at: time)
        notePending(block.samples[...])
        return block
    }
}
