import Platform

/// Decides what is told about a database that does not work: once when that begins, now and then while it lasts, and
/// once when it is over. It is pure: times are parameters.
///
/// A reader of the notices always knows whether the database works. A database that comes and goes makes no flood of
/// them.
struct StoreTrouble {
    enum Limits {
        /// Troubles that are told one right after another. Each `refill` allows one more. The others are counted and
        /// told with the next one.
        static let burst = 3
        static let refill = Duration.seconds(60)
        /// The interval at which a trouble that lasts is told again.
        static let reminder = Duration.seconds(600)
        /// The time that rows may take to be written before the return is told without waiting for them.
        static let catchUp = Duration.seconds(30)
    }

    /// A line for the log.
    enum Notice: Equatable {
        /// Nothing works any more. `untold` earlier troubles were left out, because there were too many.
        case away(untold: Int)
        case stillAway(for: Duration)
        /// - Parameter rowsWritten: the rows that were written since the database went away.
        case back(after: Duration, failures: Int, rowsWritten: Int)
        /// The database answers, but fails this operation.
        case failing(untold: Int)
        case stillFailing(for: Duration)
        case doesAgain(after: Duration, failures: Int)
    }

    private struct Episode {
        let since: MonotonicTime
        var failures = 0
        /// The operations that have failed and not succeeded since.
        var failing: Set<StoreOperation> = []
        var toldAt: MonotonicTime?
        var rowsWritten = 0
        /// The time when it was over; set while its rows are being written.
        var endedAt: MonotonicTime?
        /// The rows that waited then and are not written yet; nil before they were counted.
        var rowsLeft: Int?
    }

    private var away: Episode?
    /// The operations that fail by themselves, while the database answers.
    private var failingAlone: [StoreOperation: Episode] = [:]
    private var untold = 0
    private var budget = Limits.burst
    private var refilledAt: MonotonicTime

    init(at now: MonotonicTime) { refilledAt = now }

    /// The database as a whole does not work now.
    var isAway: Bool { away.map { $0.endedAt == nil } ?? false }

    /// The database works again, and that is not told yet.
    var isReturning: Bool { away?.endedAt != nil }

    /// The operations that fail now.
    var failing: Set<StoreOperation> {
        var all = Set(failingAlone.keys)
        if let away, away.endedAt == nil { all.formUnion(away.failing) }
        return all
    }

    /// The time since which some operation fails; nil while all work.
    var since: MonotonicTime? {
        let away = isAway ? away?.since : nil
        return ([away] + failingAlone.values.map(\.since)).compactMap { $0 }.min()
    }

    // MARK: Outcomes of operations

    /// Notes that an operation failed.
    ///
    /// - Parameter isGeneral: the database as a whole does not work, not only this operation.
    mutating func failed(_ operation: StoreOperation, isGeneral: Bool, at now: MonotonicTime) -> Notice? {
        guard isGeneral else {
            // The database has answered.
            answered(operation, at: now)
            var episode = failingAlone[operation] ?? Episode(since: now)
            let notice = Self.note(
                &episode, operation, at: now,
                tell: { take(at: now).map { .failing(untold: $0) } }, again: { .stillFailing(for: $0) })
            failingAlone[operation] = episode
            return notice
        }
        var episode = away ?? Episode(since: now)
        // A trouble whose end was not told yet goes on.
        (episode.endedAt, episode.rowsLeft) = (nil, nil)
        let notice = Self.note(
            &episode, operation, at: now,
            tell: { take(at: now).map { .away(untold: $0) } }, again: { .stillAway(for: $0) })
        away = episode
        return notice
    }

    /// Notes that an operation succeeded.
    ///
    /// - Parameter idle: operations that nobody waits for now. Their failures are over, too.
    mutating func succeeded(
        _ operation: StoreOperation, idle: Set<StoreOperation> = [], at now: MonotonicTime
    ) -> Notice? {
        answered(operation, idle: idle, at: now)
        guard let episode = failingAlone.removeValue(forKey: operation) else { return nil }
        guard episode.toldAt != nil else {
            untold += 1
            return nil
        }
        return .doesAgain(after: now.since(episode.since), failures: episode.failures)
    }

    /// Notes that a batch of rows was dealt with, and that `rows` of it were written.
    mutating func wrote(_ rows: Int, of batch: Int) {
        away?.rowsWritten += rows
        if let left = away?.rowsLeft { away?.rowsLeft = left - batch }
    }

    /// Returns the notice that the database works again, once the rows that waited for it are written or take too long.
    ///
    /// - Parameter isLast: this process writes no more rows.
    mutating func returned(rowsWaiting: Int, isLast: Bool = false, at now: MonotonicTime) -> Notice? {
        guard let episode = away, let endedAt = episode.endedAt else { return nil }
        let left = min(episode.rowsLeft ?? rowsWaiting, rowsWaiting)
        away?.rowsLeft = left
        guard left <= 0 || isLast || now.since(endedAt) >= Limits.catchUp else { return nil }
        away = nil
        guard episode.toldAt != nil else {
            untold += 1
            return nil
        }
        return .back(
            after: endedAt.since(episode.since), failures: episode.failures, rowsWritten: episode.rowsWritten)
    }

    // MARK: Internals

    private mutating func answered(
        _ operation: StoreOperation, idle: Set<StoreOperation> = [], at now: MonotonicTime
    ) {
        guard var episode = away, episode.endedAt == nil else { return }
        // A database that answers is connected.
        episode.failing.subtract(idle.union([operation, .open, .migrate]))
        if episode.failing.isEmpty { episode.endedAt = now }
        away = episode
    }

    private static func note(
        _ episode: inout Episode, _ operation: StoreOperation, at now: MonotonicTime, tell: () -> Notice?,
        again: (Duration) -> Notice
    ) -> Notice? {
        episode.failures += 1
        episode.failing.insert(operation)
        guard let toldAt = episode.toldAt else {
            let notice = tell()
            if notice != nil { episode.toldAt = now }
            return notice
        }
        guard now.since(toldAt) >= Limits.reminder else { return nil }
        episode.toldAt = now
        return again(now.since(episode.since))
    }

    /// Takes one of the lines that may be written now. Returns how many troubles were not told before it; nil where no
    /// line is left.
    private mutating func take(at now: MonotonicTime) -> Int? {
        let refills = Int(now.since(refilledAt) / Limits.refill)
        if refills > 0 {
            budget = min(Limits.burst, budget + refills)
            refilledAt = refilledAt + Limits.refill * refills
        }
        guard budget > 0 else { return nil }
        budget -= 1
        defer { untold = 0 }
        return untold
    }
}
