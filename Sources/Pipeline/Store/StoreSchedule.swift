import Platform

/// Decides when each operation may be tried, and which background job is due. It is pure: times and chance are
/// parameters.
struct StoreSchedule {
    private struct Entry {
        var notBefore: MonotonicTime
        var failures = 0
        /// The time when the failures began.
        var troubledSince: MonotonicTime?
    }

    /// Each wait is up to a tenth shorter or longer.
    private static let jitter = Jitter(0.9...1.1)

    private let backoff: Backoff
    private var entries: [StoreOperation: Entry]

    /// Every operation may be tried at once, so each job runs at the start.
    init(minBackoff: Duration, maxBackoff: Duration, at now: MonotonicTime) {
        backoff = Backoff(from: minBackoff, to: maxBackoff, jitter: Self.jitter, mayExceedMaximum: true)
        entries = Dictionary(
            uniqueKeysWithValues: StoreOperation.allCases.map { ($0, Entry(notBefore: now)) })
    }

    func notBefore(_ operation: StoreOperation) -> MonotonicTime {
        entries[operation]?.notBefore ?? MonotonicTime(nanoseconds: 0)
    }

    func isReady(_ operation: StoreOperation, at now: MonotonicTime) -> Bool { notBefore(operation) <= now }

    /// The time that the operation has failed without a success between; nil while it works.
    func trouble(of operation: StoreOperation, at now: MonotonicTime) -> Duration? {
        entries[operation]?.troubledSince.map { now.since($0) }
    }

    /// Returns the job that is due and has waited longest.
    func job(at now: MonotonicTime) -> StoreOperation? {
        StoreOperation.jobs.filter { isReady($0, at: now) }.min { notBefore($0) < notBefore($1) }
    }

    /// The time when the next job is due.
    var nextJobAt: MonotonicTime? { StoreOperation.jobs.map(notBefore).min() }

    /// Notes a success. A job is due again after `interval`; `chance` from 0 to 1 spreads that by a tenth to either
    /// side.
    mutating func succeeded(
        _ operation: StoreOperation, at now: MonotonicTime, interval: Duration = .zero, chance: Double = 0.5
    ) {
        entries[operation] = Entry(notBefore: now + Self.jitter.spread(interval, chance: chance))
    }

    /// Notes a failure. The next attempt waits, each time twice as long; `chance` from 0 to 1 spreads that by a tenth.
    mutating func failed(_ operation: StoreOperation, at now: MonotonicTime, chance: Double) {
        var entry = entries[operation] ?? Entry(notBefore: now)
        entry.failures += 1
        entry.notBefore = now + backoff.wait(afterFailures: entry.failures, chance: chance)
        entry.troubledSince = entry.troubledSince ?? now
        entries[operation] = entry
    }

    /// Notes that the operation could not be tried because `other` failed. It waits for the next attempt of `other`.
    mutating func postpone(_ operation: StoreOperation, behind other: StoreOperation, at now: MonotonicTime) {
        var entry = entries[operation] ?? Entry(notBefore: now)
        entry.notBefore = notBefore(other)
        entry.troubledSince = entry.troubledSince ?? now
        entries[operation] = entry
    }

    /// Lets the operation be tried now, whatever happened before: for the last attempt of a stop.
    mutating func hurry(_ operation: StoreOperation, at now: MonotonicTime) {
        entries[operation]?.notBefore = now
    }
}
