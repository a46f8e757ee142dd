import LiveKit
import Metrics
import Recording
import Storage
import Wire

/// A recorder that can be saved, and restored into a registry of its own.
struct RestorableFixture {
    private let registry: Registry
    private(set) var recorder: Recorder
    /// What the last input made it do.
    private(set) var actions: [Action] = []
    /// Every segment of ids that was saved.
    private(set) var segments: [IDSegment] = []

    struct Setup {
        var settings = RecorderSettings.test()
        var maxSeries = 100_000
        var longBuckets = false
        var project = "p"
        var keepsTotals = true
    }

    init(_ setup: Setup) {
        registry = Registry(maxSeries: setup.maxSeries)
        recorder = Recorder(settings: setup.settings, catalog: Self.catalog(setup, registry))
    }

    init(_ state: [UInt8], _ segments: [IDSegment], _ setup: Setup) throws(StateFault) {
        registry = Registry(maxSeries: setup.maxSeries)
        recorder = try Recorder(
            restoring: MessageReader(state), ids: segments, keepsTotals: setup.keepsTotals, settings: setup.settings,
            catalog: Self.catalog(setup, registry))
        self.segments = segments
    }

    private static func catalog(_ setup: Setup, _ registry: Registry) -> Catalog {
        Catalog(in: registry, longBuckets: setup.longBuckets, project: setup.project, region: "r")
    }

    mutating func apply(_ input: Input) {
        actions = []
        recorder.apply(input, into: &actions)
        recorder.takeUsageReading().publish()
    }

    mutating func startOwnTotalsAtZero() { recorder.startOwnTotalsAtZero() }

    /// The state; the ids go to the segments.
    mutating func save() -> [UInt8] {
        segments += recorder.takeIDs()
        var writer = MessageWriter()
        recorder.encodeState(into: &writer)
        return writer.bytes
    }

    mutating func allIDs() -> [IDSegment] { recorder.takeIDs(all: true) }

    /// The page of LiveKit's metrics, with the beginning of each series; without help and our own.
    var page: [String] { lines.filter { !$0.contains("lkpush_") } }

    /// All lines that are no comments.
    var lines: [String] {
        var page: [UInt8] = []
        Exposition.append(registry, as: .openMetrics, to: &page)
        return String(decoding: page, as: UTF8.self).split(separator: "\n").map(String.init).filter {
            !$0.hasPrefix("#")
        }
    }
}
