import Metrics
import Platform
import RemoteWrite
import Wire

/// The loop of the thread `reader`: it reads the registry at each tick and passes the reading to every destination.
///
/// It is made and used on that thread.
final class ReaderWorker {
    /// Asks for the totals of what grows while time passes. It waits for nothing.
    typealias Refresh = @Sendable () -> Void

    private enum Limits {
        /// The time from the question to the reading: a commit takes less on a disk that is not broken. So a sample is
        /// older than its time by this at most.
        static let lead = Duration.seconds(1)
    }

    private let registry: Registry
    private let metrics: ReaderMetrics
    private let shippers: [ShipperThread]
    private let schedule: SeriesTable.Schedule
    private let refresh: Refresh?
    private let log: Log
    private let time: any TimeSource

    private var reader: RegistryReader
    private var clock: ClockGuard
    /// The time of the newest reading, of this process or an earlier one.
    private var newest: Timestamp?
    private let startedAt: MonotonicTime
    /// The time of the next reading.
    private(set) var nextTick: MonotonicTime
    /// The time before the next reading at which totals are asked for; nil once they were.
    private var nextQuestion: MonotonicTime?
    /// The idle grid, as the tables of the destinations have it: its beginning, and the part of the last reading.
    private var grid: (first: Timestamp, slot: Int64)?

    /// - Parameters:
    ///   - newest: the newest time that an earlier process sent or spooled. No reading is made at or before it.
    ///   - refresh: is called shortly before each reading on the idle grid.
    init(
        _ registry: Registry, _ metrics: ReaderMetrics, _ shippers: [ShipperThread], _ schedule: SeriesTable.Schedule,
        after newest: Timestamp?, refresh: Refresh?, _ log: Log, _ time: any TimeSource
    ) {
        self.registry = registry
        self.metrics = metrics
        self.shippers = shippers
        self.schedule = schedule
        self.newest = newest
        self.refresh = refresh
        self.log = log
        self.time = time
        reader = RegistryReader(registry)
        clock = ClockGuard(after: newest)
        startedAt = time.monotonic()
        nextTick = startedAt
        plan(tick: 1)
    }

    /// The time at which something is to be done.
    var wakeAt: MonotonicTime { min(nextTick, nextQuestion ?? nextTick) }

    /// Makes the reading that is due, or asks for what it needs. Ticks stay on the grid of the first reading. A missed
    /// tick is not made up for.
    func workIfDue() {
        let now = time.monotonic()
        if now >= nextTick {
            read()
            plan(tick: 1 + Int(time.monotonic().since(startedAt) / schedule.pushInterval))
        } else if let nextQuestion, now >= nextQuestion {
            self.nextQuestion = nil
            if isOnGrid(time.now() + nextTick.since(now)) { refresh?() }
        }
    }

    private func plan(tick number: Int) {
        let interval = schedule.pushInterval
        nextTick = startedAt + interval * number
        nextQuestion = refresh == nil ? nil : startedAt + (interval * number - min(Limits.lead, interval / 2))
    }

    /// A reading at this time has the series that go on the idle grid.
    private func isOnGrid(_ time: Timestamp) -> Bool {
        guard schedule.idleInterval > schedule.pushInterval, let grid else { return true }
        return schedule.idleSlot(of: time, since: grid.first) != grid.slot
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
        let first = setBackTo.map { min($0, grid?.first ?? $0) } ?? grid?.first ?? wall
        grid = (first, schedule.idleSlot(of: wall, since: first))
        for shipper in shippers { shipper.offer(tick) }
    }

    private func skip(_ reason: StaticString) {
        metrics.noteSkipped("\(reason)")
        log.throttled(.warning, "a reading was skipped: the clock is wrong", ["reason": .string("\(reason)")])
    }
}
