import Exporter
import LiveKit
import Metrics
import Platform
import Recording
import RemoteWrite
import Wire

/// The work of the shipper's thread at one tick, up to the point where curl gets the body, and after the receiver has
/// accepted it.
final class Pusher {
    let registry: Registry
    private var reader: RegistryReader
    private var table: SeriesTable
    private var delivery: Delivery
    private var wall = Timestamp(milliseconds: 1_790_000_000_000)
    private var monotonic = MonotonicTime(nanoseconds: 0)
    /// The bodies of the last tick, if they are kept.
    private(set) var bodies: [[UInt8]] = []

    /// - Parameter hasSpool: the destination has a spool, which stays empty here.
    init(_ registry: Registry, idleInterval: Duration, hasSpool: Bool = true) {
        self.registry = registry
        var settings = StandardSettings.all.delivery
        if hasSpool {
            settings.spool = SpoolBounds(
                bytes: StandardSettings.all.spoolMaxBytes.bytes, age: StandardSettings.all.spoolMaxAge)
        }
        delivery = Delivery(settings, limits: StandardSettings.all.batches, seed: 1)
        guard let labels = try? CommonLabels(job: "lkpush", instance: "bench-1", external: Self.external) else {
            preconditionFailure("these labels are good")
        }
        table = SeriesTable(
            labels: labels, schedule: .init(pushInterval: .seconds(15), idleInterval: idleInterval))
        reader = RegistryReader(registry)
    }

    private static let external = [
        (name: "environment", value: "production"), (name: "region", value: "eu-central-1"),
        (name: "service", value: "lkpush"),
    ]

    /// The number of time series that are pushed.
    var rowCount: Int {
        1 + registry.snapshot().reduce(0) { $0 + $1.family.seriesPerChild * $1.series.count }
    }
    /// The number of samples that were queued since the beginning.
    var samples: UInt64 { delivery.statistics.enqueued }

    /// Runs one tick, `interval` after the last one. Every body is accepted.
    func tick(after interval: Duration, keepsBodies: Bool = false) {
        wall = wall + interval
        monotonic = monotonic + interval
        registry.collect()
        var block = delivery.emptyBlock()
        _ = table.take(reader.read(at: wall), into: &block)
        delivery.noteTick(at: monotonic)
        delivery.enqueue(block, &table)
        if keepsBodies { bodies.removeAll() }
        while deliver(keepsBody: keepsBodies) {}
    }

    private func deliver(keepsBody: Bool) -> Bool {
        let step = delivery.next(at: monotonic, &table)
        if case .spool = step { preconditionFailure("a healthy receiver needs no spool") }
        guard case .send(let attempt) = step else { return false }
        if keepsBody { bodies.append(attempt.body) }
        let verdict = delivery.settle(
            shard: attempt.shard,
            .answered(
                status: 204, retryAfter: nil, wasResent: false,
                written: Delivery.Written(samples: UInt64(attempt.samples))), at: monotonic, wall: wall, &table)
        precondition(verdict == .accepted, "every body is taken")
        return true
    }
}

/// A registry with 1,000 organizations that use everything.
struct LargeRegistry {
    let fixture: BenchFixture
    private let readings: [Series.AnyInstrument]

    static let organizations = 1_000

    init(organizations: Int = organizations) {
        fixture = BenchFixture(.metadata)
        ProcessMetrics.declare(in: fixture.registry, version: "bench", log: Log(level: .error, format: .text))
        var population = Population(
            .init(participants: organizations * 5, rooms: organizations, organizations: organizations))
        let fixture = fixture
        population.furnish { fixture.apply($0, at: Timestamp(milliseconds: $0.createdAt * 1_000)) }
        population.cover { fixture.apply($0, at: Timestamp(milliseconds: $0.createdAt * 1_000)) }
        fixture.report(organizations: (0..<organizations).map(Population.organization), at: population.now)
        readings = fixture.registry.snapshot().flatMap(\.series).map(\.instrument)
    }

    /// Changes the value of every series.
    func change(_ turn: Int) {
        for (index, reading) in readings.enumerated() {
            switch reading {
            case .counter(let counter): counter.increment(by: Double(1 + index % 7))
            case .gauge(let gauge): gauge.set((index + turn * 31) % 1_000)
            // The value is below the first bound, so that all buckets change.
            case .histogram(let histogram): histogram.observe(0.05)
            }
        }
    }
}
