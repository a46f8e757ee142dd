import Platform

/// When each operation may be tried, and which background job is due. Pure: times and chance are parameters.
struct StoreSchedule {
    private struct Entry {
        var notBefore: MonotonicTime
        var failures = 0
        /// When the failures began.
        var troubledSince: MonotonicTime?
    }

    /// Each wait is up to a tenth shorter or longer.
    private static let jitter = Jitter(0.9...1.1)

    private let backoff: Backoff
    private var entries: [StoreOperation: Entry]

    /// Everything may be tried at once: each job runs at start.
    init(minBackoff: Duration, maxBackoff: Duration, at now: MonotonicTime) {
        backoff = Backoff(from: minBackoff, to: maxBackoff, jitter: Self.jitter, mayExceedMaximum: true)
        entries = Dictionary(
            uniqueKeysWithValues: StoreOperation.allCases.map { ($0, Entry(notBefore: now)) })
    }

    func notBefore(_ operation: StoreOperation) -> MonotonicTime {
        entries[operation]?.notBefore ?? MonotonicTime(nanoseconds: 0)
    }

    func isReady(_ operation: StoreOperation, at now: MonotonicTime) -> Bool { notBefore(operation) <= now }

    /// How long it has failed without a success between; nil while it works.
    func trouble(of operation: StoreOperation, at now: MonotonicTime) -> Duration? {
        entries[operation]?.troubledSince.map { now.since($0) }
    }

    /// The job that is due and has waited longest.
    func job(at now: MonotonicTime) -> StoreOperation? {
        StoreOperation.jobs.filter { isReady($0, at: now) }.min { notBefore($0) < notBefore($1) }
    }

    /// When the next job is due.
    var nextJobAt: MonotonicTime? { StoreOperation.jobs.map(notBefore).min() }

    /// It worked; a job is due again after `interval`. `chance` from 0 to 1 spreads that by a tenth to either side.
    mutating func succeeded(
        _ operation: StoreOperation, at now: MonotonicTime, interval: Duration = .zero, chance: Double = 0.5
    ) {
        entries[operation] = Entry(notBefore: now + Self.jitter.spread(interval, chance: chance))
    }

    /// It failed: the next attempt waits, each time twice as long. `chance` from 0 to 1 spreads that by a tenth.
    mutating func failed(_ operation: StoreOperation, at now: MonotonicTime, chance: Double) {
        var entry = entries[operation] ?? Entry(notBefore: now)
        entry.failures += 1
        entry.notBefore = now + backoff.wait(afterFailures: entry.failures, chance: chance)
        entry.troubledSince = entry.troubledSince ?? now
        entries[operation] = entry
    }

    /// It could not be tried because `other` failed: it waits for that.
    mutating func postpone(_ operation: StoreOperation, behind other: StoreOperation, at now: MonotonicTime) {
        var entry = entries[operation] ?? Entry(notBefore: now)
        entry.notBefore = notBefore(other)
        entry.troubledSince = entry.troubledSince ?? now
        entries[operation] = entry
    }

    /// It may be tried now, whatever happened before: for the last attempt of a stop.
    mutating func hurry(_ operation: StoreOperation, at now: MonotonicTime) {
        entries[operation]?.notBefore = now
    }
}
