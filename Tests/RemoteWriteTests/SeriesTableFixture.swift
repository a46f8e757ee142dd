import Metrics
import RemoteWrite
import TestSupport
import Testing
import Wire

/// A registry, a series table and a writer. Each tick returns what was written as text: `series: value@milliseconds
/// ...`.
///
/// The labels `job="j"` and `instance="i"` are left out.
struct SeriesTableFixture {
    let registry = Registry(maxSeries: 100_000)
    var table: SeriesTable
    var writer = BatchWriter()
    var batches: [Batch] = []

    init(push: Int64 = 15, idle: Int64? = nil, external: [(name: String, value: String)] = []) throws {
        table = SeriesTable(
            labels: try CommonLabels(job: "j", instance: "i", external: external),
            schedule: .init(pushInterval: .seconds(push), idleInterval: .seconds(idle ?? push)))
        registry.startRecordingChanges()
    }

    /// Reads at this second. Returns the series whose name begins with `prefix`, sorted.
    mutating func tick(_ seconds: Int64, _ prefix: String = "t") throws -> [String] {
        try tick(milliseconds: seconds * 1_000, prefix)
    }

    mutating func tick(milliseconds: Int64, _ prefix: String = "t") throws -> [String] {
        table.apply(registry.takeChanges())
        let reading = table.read(at: Timestamp(milliseconds: milliseconds), into: &writer)
        guard reading == .made else { return ["skipped"] }
        return try lines(prefix)
    }

    mutating func end(milliseconds: Int64, _ prefix: String = "t") throws -> [String] {
        table.endAll(at: Timestamp(milliseconds: milliseconds), into: &writer)
        return try lines(prefix)
    }

    /// Reads at this second, and ignores what is written.
    mutating func read(_ seconds: Int64) -> SeriesTable.Reading {
        table.apply(registry.takeChanges())
        defer {
            batches.removeAll()
            writer.finish(into: &batches)
        }
        return table.read(at: Timestamp(seconds: seconds), into: &writer)
    }

    // MARK: State that survives a process

    /// Restores what an earlier process sent. From then on the keys of series are recorded.
    mutating func restore(_ state: ShippedState) {
        table.recordsKeys = true
        table.restore(state, families: registry.descriptors)
    }

    /// The keys that the journal would get of series whose name begins with `t`.
    mutating func keys() -> [String] {
        let (began, ended) = table.takeKeys()
        let changes = ended.map { ("ended", $0) } + began.map { ("began", $0) }
        return changes.filter { $0.1.family.hasPrefix("t") }
            .map { "\($0) \($1.family) \($1.labelValues.joined(separator: " "))" }
    }

    /// Notes that the batches of the last reading were lost.
    mutating func lose(wasAttempted: Bool) {
        for batch in batches {
            if wasAttempted { table.noteAttempt(rows: batch.rows, sequence: batch.sequence) }
            table.noteLoss(rows: batch.rows, sequence: batch.sequence, wasAttempted: wasAttempted)
        }
    }

    mutating func lines(_ prefix: String) throws -> [String] {
        batches.removeAll()
        writer.finish(into: &batches)
        var lines: [String] = []
        for batch in batches {
            let request = try WriteRequest(compressed: batch.body)
            #expect(request.series.reduce(0) { $0 + $1.samples.count } == batch.samples)
            for series in request.series where series.text.hasPrefix(prefix) {
                let samples = series.samples.map { "\(Self.text($0))@\($0.milliseconds)" }
                lines.append("\(Self.withoutTarget(series).text): \(samples.joined(separator: " "))")
            }
        }
        return lines.sorted()
    }

    /// The series without the labels `job` and `instance`, which all series have.
    private static func withoutTarget(_ series: WriteRequest.TimeSeries) -> WriteRequest.TimeSeries {
        var rest = series
        for (name, value) in [("job", "j"), ("instance", "i")] {
            if let index = rest.names.firstIndex(of: name), rest.values[index] == value {
                rest.names.remove(at: index)
                rest.values.remove(at: index)
            }
        }
        return rest
    }

    private static func text(_ sample: WriteRequest.Sample) -> String {
        sample.isStale ? "stale" : Number.text(sample.value)
    }
}
