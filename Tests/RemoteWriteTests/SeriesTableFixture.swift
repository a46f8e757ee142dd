import Metrics
import RemoteWrite
import TestSupport
import Testing
import Wire

/// A registry and a series table. Each tick returns what was read as text: `series: value@milliseconds ...`.
///
/// The receiver has what was read when the next tick comes, unless a test holds or loses it. The labels `job="j"` and
/// `instance="i"` are left out.
struct SeriesTableFixture {
    let registry: Registry
    var table: SeriesTable
    private var reader: RegistryReader
    /// The samples of the last reading.
    var block = SampleBlock()
    /// If false, what is read waits.
    var settles = true
    private var waits = false
    private var encoder = RequestEncoder()

    init(
        push: Int64 = 15, idle: Int64? = nil, external: [(name: String, value: String)] = [],
        selection: FamilySelection = FamilySelection(), registry: Registry = Registry(maxSeries: 100_000)
    ) throws {
        self.registry = registry
        table = SeriesTable(
            labels: try CommonLabels(job: "j", instance: "i", external: external),
            schedule: .init(pushInterval: .seconds(push), idleInterval: .seconds(idle ?? push)),
            selection: selection)
        reader = RegistryReader(registry)
    }

    /// Reads at this second. Returns the series whose name begins with `prefix`, sorted.
    mutating func tick(_ seconds: Int64, _ prefix: String = "t") throws -> [String] {
        try tick(milliseconds: seconds * 1_000, prefix)
    }

    mutating func tick(milliseconds: Int64, _ prefix: String = "t", isLast: Bool = false) throws -> [String] {
        guard read(milliseconds: milliseconds, isLast: isLast) == .made else { return ["skipped"] }
        return try lines(prefix)
    }

    mutating func end(milliseconds: Int64, _ prefix: String = "t") throws -> [String] {
        settleLast()
        table.endAll(at: Timestamp(milliseconds: milliseconds), into: &block)
        waits = true
        return try lines(prefix)
    }

    /// Reads at this time into `block`.
    mutating func read(milliseconds: Int64, isLast: Bool = false) -> SeriesTable.Reading {
        settleLast()
        let reading = table.take(
            reader.read(at: Timestamp(milliseconds: milliseconds)), isLast: isLast, into: &block)
        waits = reading == .made
        return reading
    }

    // MARK: Fates

    private mutating func settleLast() { if waits && settles { accept() } }

    /// The receiver has the last reading.
    mutating func accept() {
        table.noteAttempt(block.samples[...])
        table.noteAccepted(block.samples[...])
        waits = false
    }

    /// The last reading is lost.
    mutating func lose(wasAttempted: Bool) {
        lose(block, wasAttempted: wasAttempted)
        waits = false
    }

    mutating func lose(_ block: SampleBlock, wasAttempted: Bool) {
        if wasAttempted { table.noteAttempt(block.samples[...]) }
        table.noteLoss(block.samples[...], wasAttempted: wasAttempted)
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

    // MARK: Reading a block

    /// The block as a request.
    mutating func encoded(_ block: SampleBlock, as message: Message = .v1) -> [UInt8] {
        var body: [UInt8] = []
        _ = encoder.encode(
            block.samples[...], base: block.base, as: message, withMetadata: false, &table, into: &body)
        return body
    }

    mutating func lines(_ prefix: String) throws -> [String] {
        let request = try WriteRequest(compressed: encoded(block))
        #expect(request.series.reduce(0) { $0 + $1.samples.count } == block.samples.count)
        return request.series.filter { $0.text.hasPrefix(prefix) }.map { series in
            let samples = series.samples.map { "\(Self.text($0))@\($0.milliseconds)" }
            return "\(Self.withoutTarget(series).text): \(samples.joined(separator: " "))"
        }.sorted()
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
