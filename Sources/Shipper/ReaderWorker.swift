import Metrics
import Platform
import RemoteWrite
import Wire

/// The loop of the thread `reader`: it reads the registry at each tick and passes the reading to every destination.
///
/// It is made and used on that thread.
final class ReaderWorker {
    private let registry: Registry
    private let metrics: ReaderMetrics
    private let shippers: [ShipperThread]
    private let interval: Duration
    private let log: Log
    private let time: any TimeSource

    private var reader: RegistryReader
    private var clock: ClockGuard
    /// The time of the newest reading, of this process or an earlier one.
    private var newest: Timestamp?
    private let startedAt: MonotonicTime
    /// The time of the next reading.
    private(set) var nextTick: MonotonicTime

    /// - Parameter newest: the newest time that an earlier process sent or spooled. No reading is made at or before it.
    init(
        _ registry: Registry, _ metrics: ReaderMetrics, _ shippers: [ShipperThread], every interval: Duration,
        after newest: Timestamp?, _ log: Log, _ time: any TimeSource
    ) {
        self.registry = registry
        self.metrics = metrics
        self.shippers = shippers
        self.interval = interval
        self.newest = newest
        self.log = log
        self.time = time
        reader = RegistryReader(registry)
        clock = ClockGuard(after: newest)
        startedAt = time.monotonic()
        nextTick = startedAt + interval
    }

    /// Makes the reading that is due. Ticks stay on the grid of the first reading. A missed tick is not made up for.
    func tickIfDue() {
        guard time.monotonic() >= nextTick else { return }
        read()
        let passed = Int64(time.monotonic().since(startedAt) / interval)
        nextTick = startedAt + interval * Int(passed + 1)
    }

    /// Reads the registry now.
    ///
    /// - Parameter isLast: no other reading follows. So this one is made even if no time has passed.
    func read(isLast: Bool = false) {
        let monotonic = time.monotonic()
        var wall = time.now()
        var setBackTo: Timestamp?
        for accepted in shippers.compactMap(\.accepted) { clock.noteAccepted(until: accepted) }
        switch clock.check(wall, monotonic) {
        case .good: break
        case .setBack:
            setBackTo = wall
            log.warning(
                """
                the clock was ahead and is set back: readings go on from its time, and samples with later times are \
                given up; see what sets the clock
                """)
        // Whatever the clock shows, the last values come right after those before them.
        case _ where isLast: wall = newest.map { $0 + .milliseconds(1) } ?? wall
        case .wentBack: return skip("clock_went_back")
        case .jumpedAhead: return skip("clock_jumped_ahead")
        }
        metrics.noteReading()
        registry.collect()
        let tick = Tick(reading: reader.read(at: wall), at: monotonic, setBackTo: setBackTo, isLast: isLast)
        newest = wall
        for shipper in shippers { shipper.offer(tick) }
    }

    private func skip(_ reason: StaticString) {
        metrics.noteSkipped("\(reason)")
        log.throttled(.warning, "a reading was skipped: the clock is wrong", ["reason": .string("\(reason)")])
    }
}
