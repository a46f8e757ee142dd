import Metrics
import Platform
import RemoteWrite
import TestSupport
import Wire

/// Series come, change and go between readings. Answers come in any order. What is sent, in either message, is read by a
/// decoder of its own and compared. What waits goes to a spool, which may refuse or lose something, and outlives the
/// process that ends at any moment.
struct RemoteWriteFuzzer: Fuzzer {
    static let name = "remotewrite"

    func run(_ bytes: [UInt8]) {
        var bytes = Bytes(bytes)
        guard var sender = Sender(&bytes) else { return }
        while !bytes.isEmpty { sender.step(&bytes) }
        sender.stop(&bytes)
    }
}

/// A registry with its series table and its delivery, and what the receiver has seen.
private struct Sender {
    let registry = Registry(maxSeries: 60)
    let counter: Family<Counter>
    let gauge: Family<Gauge>
    let histogram: Family<Histogram>
    let limits: BatchLimits
    var reader: RegistryReader
    var table: SeriesTable
    var delivery: Delivery
    var settings: DeliverySettings
    let labels: CommonLabels
    let schedule: SeriesTable.Schedule
    var spool = ModelSpool()
    var shipped: Set<SeriesKey> = []
    var now = Timestamp(seconds: 1_790_000_000)
    var lastTick: Timestamp?
    var underWay: [Delivery.Attempt] = []
    /// The last time and value of every series that the receiver has stored, by its labels as bytes.
    var newest: [[UInt8]: WriteRequest.Sample] = [:]
    /// All times that it has stored.
    var stored: [[UInt8]: Set<Int64>] = [:]

    init?(_ bytes: inout Bytes) {
        counter = registry.counter("lk_c_total", "C.", labels: ["org_id", "job"])
        gauge = registry.gauge("lk_g", "G.", labels: ["org_id"], cadence: bytes.bool() ? .everyTick : .idleGrid)
        histogram = registry.histogram("lk_h_seconds", "H.", labels: ["room"], bounds: [1, 2.5])
        let idle = bytes.bool() ? Duration.seconds(15) : .seconds(60)
        var limits = BatchLimits(samples: 1 + bytes.below(40) * (bytes.bool() ? 1 : 20))
        limits.compressed_bytes = 64 << bytes.below(8)
        limits.decoded_bytes = 256 << bytes.below(8)
        self.limits = limits
        let job = bytes.text()
        let external = (0..<bytes.below(3)).map { _ in (name: bytes.text(), value: bytes.text()) }
        // As in `job`; and names that no receiver takes are refused at start.
        if external.contains(where: { ["org_id", "room"].contains($0.name) }) { return nil }
        guard let labels = try? CommonLabels(job: job, instance: "i", external: external) else { return nil }
        self.labels = labels
        schedule = SeriesTable.Schedule(pushInterval: .seconds(15), idleInterval: idle)
        table = SeriesTable(labels: labels, schedule: schedule)
        table.recordsKeys = true
        settings = DeliverySettings(
            queue: ByteCount(4_096 << bytes.below(8)), minBackoff: .milliseconds(10), maxBackoff: .seconds(1),
            retriesOnTooManyRequests: bytes.bool(),
            message: MessageChoice.allCases[bytes.below(MessageChoice.allCases.count)], maxShards: 1 + bytes.below(5))
        if bytes.bool() {
            settings.spool = SpoolBounds(bytes: 256 << bytes.below(12), age: .seconds(30 << Int64(bytes.below(8))))
        }
        delivery = Delivery(settings, limits: limits, seed: 1)
        reader = RegistryReader(registry)
    }

    var time: MonotonicTime { MonotonicTime(nanoseconds: now.milliseconds * 1_000_000) }

    mutating func step(_ bytes: inout Bytes) {
        switch bytes.below(16) {
        case 0: counter.series([bytes.text(), job(&bytes)])?.increment()
        case 1: gauge.series([bytes.text()])?.set(bytes.double())
        case 2: histogram.series([bytes.text()])?.observe(Double(bytes.below(4)))
        case 3: counter.end([bytes.text(), job(&bytes)])
        case 4: gauge.end([bytes.text()])
        case 5: histogram.end([bytes.text()])
        case 6, 7: send()
        case 8, 9: settle(&bytes)
        case 10: spool.refuses.toggle()
        case 11: if bytes.below(4) == 0 { spool.lose(bytes.below(3)) }
        case 12: kill(&bytes)
        case 13: delivery.note(room_bytes: 64 << bytes.below(16))
        default: tick(after: .milliseconds(Int64(bytes.below(256)) * 100 - 1_000))
        }
        check()
    }

    private func check() {
        let s = delivery.statistics
        require(
            s.enqueued == s.accepted + s.rejected + s.ambiguous + s.droppedInAll + s.pending, "every sample has a fate")
        require(s.pending >= UInt64(s.spoolSamples), "what is in the spool waits")
        require(spool.isDamaged || spool.count >= s.spoolSamples, "the spool has what it is said to have")
    }

    /// The process ends without a word, and the next one begins with what is on disk.
    private mutating func kill(_ bytes: inout Bytes) {
        guard lastTick != nil else { return }
        settings.maxShards = 1 + bytes.below(5)
        underWay = []
        table = SeriesTable(labels: labels, schedule: schedule)
        table.recordsKeys = true
        reader = RegistryReader(registry)
        var state = ShippedState(lastReading: lastTick, labels: labels.fingerprint)
        state.series = shipped.sorted()
        table.restore(state, families: registry.descriptors)
        delivery = Delivery(settings, limits: limits, seed: 1)
        tick(after: .seconds(15), restoring: spool.exists && settings.spool != nil)
    }

    /// Never empty: a common label takes the place of an empty one, and may make two series of the same labels.
    private func job(_ bytes: inout Bytes) -> String {
        let job = bytes.text()
        return job.isEmpty ? "none" : job
    }

    mutating func tick(after wait: Duration, restoring: Bool = false) {
        now = now + wait
        if restoring, let lastTick { now = max(now, lastTick + .milliseconds(1)) }
        registry.collect()
        let isLater = lastTick.map { $0 < now } ?? true
        var block = delivery.emptyBlock()
        require(
            (table.take(reader.read(at: now), into: &block) == .made) == isLater, "time goes forward or nothing is read"
        )
        guard isLater else { return }
        lastTick = now
        if restoring { delivery.restore(spool.contents, &table) }
        let (began, ended) = table.takeKeys()
        shipped.subtract(ended)
        shipped.formUnion(began)
        delivery.noteTick(at: time)
        delivery.enqueue(block, &table)
    }

    mutating func send() {
        var step = delivery.next(at: time, &table)
        var orders = 0
        while case .spool(let order) = step {
            orders += 1
            require(orders < 10_000, "orders to the spool end")
            delivery.take(spool.carryOut(order), at: time, &table)
            check()
            step = delivery.next(at: time, &table)
        }
        guard case .send(let attempt) = step else { return }
        require(!underWay.contains { $0.shard == attempt.shard }, "a shard has one request under way")
        do {
            try check(attempt, request(of: attempt))
        } catch {
            refute("a body cannot be read: \(error)")
        }
        underWay.append(attempt)
    }

    private func request(of attempt: Delivery.Attempt) throws -> WriteRequest {
        try WriteRequest(compressed: attempt.body, attempt.message == .v2 ? .v2 : .v1)
    }

    /// Answers one of the requests that are under way.
    mutating func settle(_ bytes: inout Bytes) {
        guard !underWay.isEmpty else { return }
        let attempt = underWay.remove(at: bytes.below(underWay.count))
        let statuses = [200, 204, 202, 400, 401, 404, 413, 415, 429, 500, 501, 502, 529]
        let status = statuses[bytes.below(statuses.count)]
        let hasHeaders = bytes.bool()
        let isRead = (200..<300).contains(status) && (attempt.message == .v1 || hasHeaders || status == 202)
        if isRead, let request = try? request(of: attempt) { store(request) }
        let outcome: Delivery.Outcome =
            bytes.below(8) == 0
            ? .failed(mayHaveArrived: true)
            : .answered(
                status: status, retryAfter: nil, wasResent: false,
                written: Delivery.Written(samples: hasHeaders ? UInt64(attempt.samples) : nil))
        _ = delivery.settle(shard: attempt.shard, outcome, at: time, wall: now, &table)
    }

    mutating func stop(_ bytes: inout Bytes) {
        tick(after: .seconds(15))
        guard let lastTick else { return }
        var block = delivery.emptyBlock()
        table.endAll(at: max(now, lastTick) + .seconds(1), into: &block)
        require(block.samples.allSatisfy(\.isStale), "the end is stale markers alone")
        delivery.enqueue(block, &table)
        for _ in 0..<200 {
            now = now + .seconds(60)
            send()
            if underWay.isEmpty { break }
            settle(&bytes)
        }
        delivery.beginStop()
        var orders = 0
        while let order = delivery.spoolOrder(at: time, &table) {
            orders += 1
            require(orders < 10_000, "orders to the spool end")
            delivery.take(spool.carryOut(order), at: time, &table)
        }
        delivery.abandon(&table)
        check()
        // A batch whose commit was refused is on disk still as a part of its block.
        require(spool.isDamaged || Int(delivery.statistics.pending) <= spool.count, "only the disk keeps what is left")
    }

    /// Stores what the receiver takes. A sample that it has already, or that was lost, may come again.
    private mutating func store(_ request: WriteRequest) {
        for series in request.series {
            let key = key(of: series)
            for sample in series.samples {
                if let last = newest[key] {
                    if sample.milliseconds == last.milliseconds {
                        require(sample.bits == last.bits, "a time has one value")
                    }
                    if sample.milliseconds < last.milliseconds && !spool.hasRefused && !spool.isDamaged {
                        require(stored[key]?.contains(sample.milliseconds) == true, "samples come in order")
                    }
                    if sample.milliseconds <= last.milliseconds { continue }
                }
                newest[key] = sample
                stored[key, default: []].insert(sample.milliseconds)
            }
        }
    }

    private func key(of series: WriteRequest.TimeSeries) -> [UInt8] {
        let names = series.names.map { Array($0.utf8) }
        return zip(names, series.values).flatMap { [$0, Array($1.utf8)] }.joinedFields
    }

    private func check(_ attempt: Delivery.Attempt, _ request: WriteRequest) {
        require(attempt.samples == request.sampleCount, "a request knows its samples")
        require(!request.series.isEmpty, "no request is empty")
        require(Set(request.series.map { key(of: $0) }).count == request.series.count, "a series comes once")
        for series in request.series {
            let names = series.names.map { Array($0.utf8) }
            require(zip(names, names.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) }, "labels are sorted")
            require(series.names.contains("__name__"), "a series has a name")
            require(!series.values.contains(""), "no label is empty")
            require(!series.samples.isEmpty, "a series has a sample")
            let times = series.samples.map(\.milliseconds)
            require(zip(times, times.dropFirst()).allSatisfy(<), "times rise")
            for sample in series.samples {
                require(!sample.value.isNaN || sample.isStale || sample.bits == SampleValue.notANumber, "one NaN")
                require(sample.start_ms <= sample.milliseconds, "a start is not after its sample")
            }
        }
    }
}

extension [[UInt8]] {
    /// As one key: 0xFF is in no UTF-8.
    fileprivate var joinedFields: [UInt8] { reduce(into: []) { $0 += $1 + [0xFF] } }
}
