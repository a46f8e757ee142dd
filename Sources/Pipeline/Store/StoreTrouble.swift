import Platform

/// What is to be said about a database that does not work: once when that begins, now and then while it lasts, once when
/// it is over. Pure: times are parameters.
///
/// The law: whoever reads the notices always knows how it is, and a database that comes and goes makes no flood of them.
struct StoreTrouble {
    enum Limits {
        /// Troubles that are told one right after another; more in `refill` are counted and told with the next.
        static let burst = 3
        static let refill = Duration.seconds(60)
        /// How often one that lasts is told again.
        static let reminder = Duration.seconds(600)
        /// How long rows may take to be written before the return is told without waiting for them.
        static let catchUp = Duration.seconds(30)
    }

    /// What a line says.
    enum Notice: Equatable {
        /// Nothing works any more. So many earlier troubles were too many to be told.
        case away(untold: Int)
        case stillAway(for: Duration)
        /// - Parameter rowsWritten: since it went away.
        case back(after: Duration, failures: Int, rowsWritten: Int)
        /// It answers, but fails this.
        case failing(untold: Int)
        case stillFailing(for: Duration)
        case doesAgain(after: Duration, failures: Int)
    }

    private struct Episode {
        let since: MonotonicTime
        var failures = 0
        /// What has failed and not succeeded since.
        var failing: Set<StoreOperation> = []
        var toldAt: MonotonicTime?
        var rowsWritten = 0
        /// When it was over, while its rows are being written.
        var endedAt: MonotonicTime?
        /// How many of those that waited then are left; nil before that was asked.
        var rowsLeft: Int?
    }

    private var away: Episode?
    /// What fails by itself, while the database answers.
    private var failing: [StoreOperation: Episode] = [:]
    private var untold = 0
    private var budget = Limits.burst
    private var refilledAt: MonotonicTime

    init(at now: MonotonicTime) { refilledAt = now }

    /// The database as a whole does not work now.
    var isAway: Bool { away.map { $0.endedAt == nil } ?? false }

    /// It works again, and that is still to be told.
    var isReturning: Bool { away?.endedAt != nil }

    // MARK: What happens

    /// An operation failed.
    ///
    /// - Parameter isGeneral: it is the database that does not work, not this operation.
    mutating func failed(_ operation: StoreOperation, isGeneral: Bool, at now: MonotonicTime) -> Notice? {
        guard isGeneral else {
            // It has answered.
            answered(operation, at: now)
            var episode = failing[operation] ?? Episode(since: now)
            let notice = Self.note(
                &episode, operation, at: now,
                tell: { take(at: now).map { .failing(untold: $0) } }, again: { .stillFailing(for: $0) })
            failing[operation] = episode
            return notice
        }
        var episode = away ?? Episode(since: now)
        // One that was not yet told to be over goes on.
        (episode.endedAt, episode.rowsLeft) = (nil, nil)
        let notice = Self.note(
            &episode, operation, at: now,
            tell: { take(at: now).map { .away(untold: $0) } }, again: { .stillAway(for: $0) })
        away = episode
        return notice
    }

    /// An operation succeeded.
    ///
    /// - Parameter idle: operations that nobody waits for now: what they failed is over too.
    mutating func succeeded(
        _ operation: StoreOperation, idle: Set<StoreOperation> = [], at now: MonotonicTime
    ) -> Notice? {
        answered(operation, idle: idle, at: now)
        guard let episode = failing.removeValue(forKey: operation) else { return nil }
        guard episode.toldAt != nil else {
            untold += 1
            return nil
        }
        return .doesAgain(after: now.since(episode.since), failures: episode.failures)
    }

    /// A batch of rows was dealt with, and so many of it were written.
    mutating func wrote(_ rows: Int, of batch: Int) {
        away?.rowsWritten += rows
        if let left = away?.rowsLeft { away?.rowsLeft = left - batch }
    }

    /// Whether the return of the database is to be told: when the rows that waited for it are written, or that takes
    /// long.
    ///
    /// - Parameter isLast: no more are written by this process.
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

    // MARK: Inside

    private mutating func answered(
        _ operation: StoreOperation, idle: Set<StoreOperation> = [], at now: MonotonicTime
    ) {
        guard var episode = away, episode.endedAt == nil else { return }
        // What answers is connected.
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

    /// Takes one of the lines that may be written now; gives how many troubles were not told before. Nil where it was one
    /// too many.
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
