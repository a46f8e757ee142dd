import Metrics
import RemoteWrite
import TestSupport
import Wire

/// Series come, change and go between readings; what is sent is read by a decoder of its own and compared.
struct RemoteWriteFuzzer: Fuzzer {
    static let name = "remotewrite"

    func run(_ bytes: [UInt8]) {
        var bytes = Bytes(bytes)
        guard var sender = Sender(&bytes) else { return }
        while !bytes.isEmpty { sender.step(&bytes) }
        sender.stop(&bytes)
    }
}

/// A table of series with its registry, and what the receiver has seen.
private struct Sender {
    let registry = Registry(maxSeries: 60)
    let counter: Family<Counter>
    let gauge: Family<Gauge>
    let histogram: Family<Histogram>
    let sendsEverything: Bool
    let limits: BatchLimits
    var table: SeriesTable
    var writer: BatchWriter
    var now = Timestamp(seconds: 1_790_000_000)
    var lastTick: Timestamp?
    /// The last time of every series, by its labels as bytes.
    var newest: [[UInt8]: Int64] = [:]

    init?(_ bytes: inout Bytes) {
        counter = registry.counter("lk_c_total", "C.", labels: ["org_id", "job"])
        gauge = registry.gauge("lk_g", "G.", labels: ["org_id"], cadence: bytes.bool() ? .everyTick : .idleGrid)
        histogram = registry.histogram("lk_h_seconds", "H.", labels: ["room"], bounds: [1, 2.5])
        sendsEverything = bytes.bool()
        var limits = BatchLimits(samples: 1 + bytes.below(40))
        limits.compressed_bytes = 64 << bytes.below(8)
        limits.decoded_bytes = 256 << bytes.below(8)
        self.limits = limits
        let job = bytes.text()
        let external = (0..<bytes.below(3)).map { _ in (name: bytes.text(), value: bytes.text()) }
        // As in `job`; and names that no receiver takes are refused at start.
        if external.contains(where: { ["org_id", "room"].contains($0.name) }) { return nil }
        guard let labels = try? CommonLabels(job: job, instance: "i", external: external) else { return nil }
        let idle = sendsEverything ? Duration.seconds(15) : .seconds(60)
        table = SeriesTable(labels: labels, schedule: .init(pushInterval: .seconds(15), idleInterval: idle))
        writer = BatchWriter(limits: limits)
        registry.startRecordingChanges()
    }

    mutating func step(_ bytes: inout Bytes) {
        switch bytes.below(8) {
        case 0: counter.series([bytes.text(), job(&bytes)])?.increment()
        case 1: gauge.series([bytes.text()])?.set(bytes.double())
        case 2: histogram.series([bytes.text()])?.observe(Double(bytes.below(4)))
        case 3: counter.end([bytes.text(), job(&bytes)])
        case 4: gauge.end([bytes.text()])
        case 5: histogram.end([bytes.text()])
        default: tick(after: .milliseconds(Int64(bytes.below(256)) * 100 - 1_000), &bytes)
        }
    }

    /// Never empty: a common label takes the place of an empty one, and may make two series of the same labels.
    private func job(_ bytes: inout Bytes) -> String {
        let job = bytes.text()
        return job.isEmpty ? "none" : job
    }

    mutating func tick(after wait: Duration, _ bytes: inout Bytes) {
        now = now + wait
        registry.collect()
        table.apply(registry.takeChanges())
        let isLater = lastTick.map { $0 < now } ?? true
        require((table.read(at: now, into: &writer) == .made) == isLater, "time goes forward or nothing is read")
        if isLater { lastTick = now }
        let seen = receive(&bytes)
        guard sendsEverything, isLater else { return }
        let live = registry.snapshot().reduce(1) { $0 + $1.family.seriesPerChild * $1.series.count }
        let current = seen.filter { $0.last.milliseconds == now.milliseconds && !$0.last.isStale }.count
        require(current == live, "\(current) of \(live) series are sent")
    }

    mutating func stop(_ bytes: inout Bytes) {
        tick(after: .seconds(15), &bytes)
        guard let lastTick else { return }
        table.endAll(at: max(now, lastTick) + .seconds(1), into: &writer)
        let seen = receive(&bytes)
        require(seen.allSatisfy { $0.last.isStale }, "the end is stale markers alone")
    }

    /// Takes the batches, checks each, loses some, and returns the series in them.
    private mutating func receive(_ bytes: inout Bytes) -> [(labels: [[UInt8]], last: WriteRequest.Sample)] {
        var batches: [Batch] = []
        writer.finish(into: &batches)
        var seen: [(labels: [[UInt8]], last: WriteRequest.Sample)] = []
        for batch in batches {
            let before = newest
            do {
                seen += try check(batch, WriteRequest(compressed: batch.body))
            } catch {
                refute("a body cannot be read: \(error)")
            }
            let fate = bytes.below(8)
            if fate < 7 { table.noteAttempt(rows: batch.rows, sequence: batch.sequence) }
            if fate >= 6 { table.noteLoss(rows: batch.rows, sequence: batch.sequence, wasAttempted: fate == 6) }
            // What was never sent is unknown to the receiver.
            if fate == 7 { newest = before }
            writer.recycle(batch.body)
        }
        require(Set(seen.map(\.labels)).count == seen.count, "a series comes once in a reading")
        return seen
    }

    private mutating func check(
        _ batch: Batch, _ request: WriteRequest
    ) -> [(labels: [[UInt8]], last: WriteRequest.Sample)] {
        require(batch.samples == request.series.reduce(0) { $0 + $1.samples.count }, "a batch knows its samples")
        require(!request.series.isEmpty, "no batch is empty")
        // What belongs together stays together: a histogram here has five series of two samples.
        require(batch.samples <= max(limits.samples, 10), "a batch is no longer than allowed")
        let isSmall = batch.body.count <= limits.compressed_bytes || request.series.count <= 5
        require(isSmall, "a batch is no larger than allowed")
        return request.series.map { series in
            let names = series.names.map { Array($0.utf8) }
            require(zip(names, names.dropFirst()).allSatisfy { $0.lexicographicallyPrecedes($1) }, "labels are sorted")
            require(series.names.contains("__name__"), "a series has a name")
            require(!series.values.contains(""), "no label is empty")
            let labels = zip(names, series.values).flatMap { [$0, Array($1.utf8)] }
            require((1...2).contains(series.samples.count), "a series has one sample or two")
            for sample in series.samples {
                let last = newest[labels.joinedFields] ?? .min
                require(last < sample.milliseconds, "times rise: \(series.text) \(last) \(sample.milliseconds)")
                newest[labels.joinedFields] = sample.milliseconds
                require(sample.milliseconds >= batch.oldest.milliseconds, "nothing is older than the oldest")
                require(sample.milliseconds <= batch.newest.milliseconds, "nothing is newer than the newest")
                require(!sample.value.isNaN || sample.isStale || sample.bits == SampleValue.notANumber, "one NaN")
            }
            return (labels, series.samples[series.samples.count - 1])
        }
    }
}

extension [[UInt8]] {
    /// As one key: 0xFF is in no UTF-8.
    fileprivate var joinedFields: [UInt8] { reduce(into: []) { $0 += $1 + [0xFF] } }
}
