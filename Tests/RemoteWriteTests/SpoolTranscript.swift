import Metrics
import Platform
import RemoteWrite
import TestSupport
import Testing
import Wire

/// A delivery with a spool, and a clock in milliseconds. What it does is text, one line for each step, so a test reads
/// as a transcript. The invariants are checked after each step.
///
/// A reading holds as many gauges as a test asks for, all with the number of the reading as their value: `10 of 3` are
/// ten samples of the third reading. Readings are not merged, so each is one request. The numbers of batches are given
/// in strides: `1.5` is the second half of batch 1, before batch 2.
final class SpoolTranscript {
    static let rows = 600

    let registry = Registry(maxSeries: 10_000)
    var table: SeriesTable
    var delivery: Delivery
    var spool = MemorySpool()
    var settings: DeliverySettings
    var limits: BatchLimits
    var endpoint = "http://r/"
    var now: Int64 = 0
    /// The requests under way.
    var underWay: [Delivery.Attempt] = []
    private(set) var reading = 0

    /// - Parameter noise: the length of two labels that cannot be compressed.
    init(
        samples: Int = 199, bytes: Int = 64 << 20, age: Duration = .seconds(86_400), noise: Int = 0,
        _ change: (inout DeliverySettings) -> Void = { _ in }
    ) throws {
        settings = DeliverySettings()
        settings.spool = SpoolBounds(bytes: bytes, age: age)
        change(&settings)
        limits = BatchLimits(samples: samples)
        let family = registry.gauge("t_now", "T.", labels: ["n", "a", "b"])
        var random = SplitMix(seed: 3)
        for number in 0..<Self.rows {
            let texts = (0..<2).map { _ in
                String((0..<noise / 10).map { _ in String(random.next(), radix: 36) }.joined().prefix(noise))
            }
            _ = try #require(family.series([String(number)] + texts))
        }
        table = try Self.table()
        delivery = Delivery(settings, limits: limits, endpoint: endpoint, seed: 1)
        settleFirstReading()
    }

    private static func table() throws -> SeriesTable {
        SeriesTable(
            labels: try CommonLabels(job: "j", instance: "i"),
            schedule: .init(pushInterval: .seconds(15), idleInterval: .seconds(240)))
    }

    /// The first reading holds every series, and is not sent. From then on a gauge is only in what a test makes.
    private func settleFirstReading() {
        var reader = RegistryReader(registry)
        var block = SampleBlock()
        #expect(table.take(reader.read(at: wall), into: &block) == .made)
        table.noteAccepted(block.samples[...])
    }

    var time: MonotonicTime { MonotonicTime(nanoseconds: now * 1_000_000) }
    var wall: Timestamp { Timestamp(milliseconds: 1_700_000_000_000 + now) }
    var statistics: DeliveryStatistics { delivery.statistics }

    // MARK: Readings

    /// Enqueues a reading with this many samples, without telling that its time has come.
    func enqueue(_ samples: Int = 10, isWithheld: Bool = false) {
        reading += 1
        let block = table.testBlock(rows: 1...samples, value: Double(reading), at: wall)
        delivery.enqueue(block, isWithheld: isWithheld, &table)
        check()
    }

    /// The next reading, 15 s later.
    func tick(_ samples: Int = 10, isWithheld: Bool = false) {
        now += 15_000
        delivery.noteTick(at: time)
        enqueue(samples, isWithheld: isWithheld)
    }

    // MARK: Steps

    /// The next step. An order to the spool is carried out.
    func step() -> String {
        let step = delivery.next(at: time, &table)
        check()
        switch step {
        case .idle: return "idle"
        case .wait: return "wait"
        case .send(let attempt):
            underWay.append(attempt)
            return "send \(Self.text(attempt))"
        case .spool(let order):
            let text = Self.text(order)
            let answer = spool.carryOut(order)
            delivery.take(answer, at: time, &table)
            check()
            if case .failed = answer { return "failed: \(text)" }
            return text
        }
    }

    /// All steps until it waits, without the wait.
    func steps() -> [String] {
        var steps: [String] = []
        while true {
            let next = step()
            if next == "idle" || next == "wait" { return steps }
            steps.append(next)
            if steps.count > 1_000 {
                Issue.record("no end: \(steps.suffix(3))")
                return steps
            }
        }
    }

    /// Everything that is written at a stop.
    func stop() -> [String] {
        delivery.beginStop()
        var steps: [String] = []
        while let order = delivery.spoolOrder(at: time, &table), steps.count < 1_000 {
            steps.append(Self.text(order))
            delivery.take(spool.carryOut(order), at: time, &table)
            check()
        }
        return steps
    }

    @discardableResult
    func answer(_ status: Int, written: UInt64? = nil) -> Delivery.Verdict { settle(.answer(status, written: written)) }

    @discardableResult
    func fail(mayHaveArrived: Bool) -> Delivery.Verdict { settle(.failed(mayHaveArrived: mayHaveArrived)) }

    /// Answers the oldest request under way.
    private func settle(_ outcome: Delivery.Outcome) -> Delivery.Verdict {
        let attempt = underWay.removeFirst()
        let verdict = delivery.settle(shard: attempt.shard, outcome, at: time, wall: wall, &table)
        check()
        return verdict
    }

    /// Answers everything with 204 until nothing is left. Returns what was sent.
    func drain() -> [String] {
        var sent: [String] = []
        for _ in 0..<10_000 {
            let step = step()
            if step.hasPrefix("send") { sent.append(step) }
            if step == "wait" { now += 30_000 }
            if !underWay.isEmpty { answer(204) } else if step == "idle" { return sent }
        }
        Issue.record("no end: \(sent.suffix(3))")
        return sent
    }

    // MARK: Processes

    /// The process ends without a word, and the next one begins with what is on disk.
    func restart(afterFirstReading change: () -> Void = {}) throws {
        now += 1_000
        underWay = []
        table = try Self.table()
        delivery = Delivery(settings, limits: limits, endpoint: endpoint, seed: 2)
        settleFirstReading()
        change()
        if spool.exists { delivery.restore(spool.contents, &table) }
        check()
    }

    /// A delivery with the limits and settings as they are now.
    func renew() {
        underWay = []
        delivery = Delivery(settings, limits: limits, endpoint: endpoint, seed: 1)
    }

    /// Checks the invariants of the counters.
    func check() {
        let s = statistics
        #expect(s.enqueued == s.accepted + s.rejected + s.ambiguous + s.droppedInAll + s.pending)
        #expect(s.queue_bytes >= 0 && s.spool_bytes >= 0 && s.spoolSamples >= 0)
        #expect(s.pending >= UInt64(s.spoolSamples))
        #expect((s.pending == 0) == delivery.isEmpty)
    }

    // MARK: Text

    private static func number(_ batch: Int64) -> String {
        Number.text(Double(batch) / Double(Int64(1) << 20))
    }

    private static func text(_ values: [UInt64]) -> String {
        let distinct = Set(values).map { Number.text(Double(bitPattern: $0)) }.sorted()
        return "\(values.count) of \(distinct.joined(separator: " "))"
    }

    static func text(_ packed: PackedBlock) -> String {
        var block = SampleBlock()
        guard packed.unpack(into: &block) else { return "damaged" }
        return text(block.samples.map(\.bits))
    }

    private static func text(_ attempt: Delivery.Attempt) -> String {
        guard
            let request = try? WriteRequest(
                compressed: attempt.body, attempt.message == .v2 ? .v2 : .v1)
        else { return "unreadable" }
        let version = attempt.message == .v2 ? " as 2.0" : ""
        let shard = attempt.shard > 0 ? " shard \(attempt.shard)" : ""
        return text(request.series.flatMap { $0.samples.map(\.bits) }) + version + shard
    }

    private static func text(_ order: SpoolOrder) -> String {
        switch order {
        case .remove: return "remove the file"
        case .readBatch(let number): return "read batch \(self.number(number))"
        case .readBlocks(let numbers): return "read block \(numbers.map(String.init).joined(separator: " "))"
        case .commit(let commit):
            var parts: [String] = []
            for number in commit.removedBlocks { parts.append("remove block \(number)") }
            for number in commit.removedBatches { parts.append("remove batch \(self.number(number))") }
            for batch in commit.batches {
                let shard = batch.shard > 0 ? " shard \(batch.shard)" : ""
                parts.append("write batch \(number(batch.number))\(shard): \(text(batch.samples))")
            }
            for block in commit.blocks { parts.append("write block \(block.number): \(text(block.samples))") }
            if parts.isEmpty { parts.append("note requests") }
            return parts.joined(separator: ", ") + (commit.isDurable ? "" : " (not synced)")
        }
    }
}
