import Journal
import JournalPostgres
import JournalSQLite
import Pipeline
package import Platform
package import Postgres
import Wire

/// Moves the state between the journal in a folder and a log that replicas share.
///
/// A move that is cut off anywhere leaves one journal that can be started, or none and a mark (`LogMark`); the same move made
/// again completes it. The journal in the folder is complete when it has its name, because it is copied in a folder of its
/// own; a log is complete when its mark is gone. The original is put aside before the copy can be started.
package struct JournalMove {
    /// The journal that a move fills.
    package enum Direction: Sendable, Equatable {
        case toShared, toEmbedded
    }

    enum Limits {
        /// The lease of a move. The mark is what keeps replicas away.
        static let lease = Duration.seconds(1)
        /// The time for one statement: it may delete millions of rows.
        static let statement = Duration.seconds(600)
        /// The longest wait for whoever appends at the moment.
        static let lock = Duration.seconds(5)
        /// The longest silence inside a transaction.
        static let idle = Duration.seconds(60)
    }

    /// The result of a move.
    package struct Outcome: Sendable, Equatable {
        package let summary: JournalCopy.Summary
        /// Only what was left of an earlier attempt had to be done.
        package var isCompletion = false
    }

    let folder: MovableFolder
    let log: PostgresLog
    /// The names of both, for messages.
    let place: String
    let host: String
    let time: any TimeSource
    /// Is called before each step that changes something. A test ends the move there.
    let step: () throws -> Void

    /// - Parameters:
    ///   - directory: the value of `STATE_DIR`.
    ///   - url: the value of `JOURNAL_URL`.
    ///   - name: the value of `JOURNAL_NAME`.
    ///   - step: is called before each step that changes something. The move ends where it throws.
    package init(
        directory: String, url: PostgresURL, name: String, time: any TimeSource = SystemTime(),
        step: @escaping () throws -> Void = {}
    ) {
        self.step = step
        folder = MovableFolder(directory, step: step)
        var settings = LogSettings()
        settings.statement = Limits.statement
        settings.lock = Limits.lock
        settings.idle = Limits.idle
        log = PostgresLog(url: url, name: name, settings: settings)
        place = "the log \(name)"
        host = InstanceName.host
        self.time = time
    }

    /// Moves everything, or completes a move that was cut off.
    ///
    /// - Parameter isTrial: only looks what would be moved, and whether that can be.
    package func run(_ direction: Direction, isTrial: Bool = false) throws -> Outcome {
        try folder.checkSpill(isLeaving: direction == .toEmbedded)
        let lock = try folder.lock()
        defer { withExtendedLifetime(lock) {} }
        let lease = log.lease()
        defer { lease.close() }
        let record = try lease.look()
        guard record.hasExpired else {
            throw MoveFault("\(record.holder) leads \(place): stop every replica in order first")
        }
        return switch direction {
        case .toShared: try toShared(lease, record, isTrial: isTrial)
        case .toEmbedded: try toEmbedded(lease, record, isTrial: isTrial)
        }
    }

    /// Makes a configuration the one that leads the log, whatever others led it before.
    ///
    /// - Parameter configuration: a line of `LogConfiguration`.
    package func adopt(_ configuration: String) throws {
        let lease = log.lease()
        defer { lease.close() }
        let record = try lease.look()
        if LogMark(record.fingerprint) != nil {
            throw MoveFault("\(place) is being moved, or was: finish that move, or move the journal back first")
        }
        guard record.hasExpired else {
            throw MoveFault("\(record.holder) leads \(place): stop the replicas with other settings first")
        }
        let taken = try lease.take(
            .expired, after: record.epoch, holder: host,
            fingerprint: LogConfiguration.kept(configuration, after: record.fingerprint), lasting: Limits.lease)
        guard let taken else {
            throw MoveFault("somebody else took \(place) just now: stop the replicas with other settings first")
        }
        try lease.release(taken)
    }

    /// Takes a new epoch, and leaves a mark in it.
    private func mark(_ lease: any LogLease, _ mark: LogMark?, after epoch: Int64, _ holder: String) throws -> Int64 {
        try step()
        let taken = try lease.take(
            .expired, after: epoch, holder: holder, fingerprint: mark?.text ?? "", lasting: Limits.lease)
        guard let taken else {
            throw MoveFault("somebody else took \(place) just now: stop every replica in order first")
        }
        try lease.release(taken)
        return taken
    }

    // MARK: To the log

    private func toShared(_ lease: any LogLease, _ record: LeaseRecord, isTrial: Bool) throws -> Outcome {
        let found = LogMark(record.fingerprint)
        guard folder.hasJournal else {
            // The original was put aside, and only the mark is left of the move.
            guard case .filled = found, !isTrial else {
                throw MoveFault("\(folder.directory) has no journal, so there is nothing to move")
            }
            let content = try content(of: log.movableJournal(epoch: record.epoch, snapshotFormat: format), place)
            let summary = try JournalCopy.summary(of: content)
            content.journal.close()
            _ = try mark(lease, nil, after: record.epoch, record.holder)
            return Outcome(summary: summary, isCompletion: true)
        }
        let source = try folder.open(format, now: time.now())
        defer { source.close() }
        let content = try content(of: source, "the journal in \(folder.directory)")
        guard !content.isEmpty else {
            throw MoveFault(
                "the journal in \(folder.directory) is empty, so there is nothing to move: start the replicas")
        }
        try checkTarget(record, found, content)
        if isTrial { return Outcome(summary: try JournalCopy.summary(of: content)) }

        let holder = "the move from STATE_DIR of \(host)"
        var epoch = try mark(lease, .filling(from: source.numbers.id), after: record.epoch, holder)
        try step()
        try log.clear(epoch: epoch)
        let target = try log.movableJournal(epoch: epoch, snapshotFormat: format)
        let appends = log.eventLogOfMove()
        defer {
            target.close()
            appends.close()
        }
        let summary = try JournalCopy(content: content, target: target, eventLog: appends, step: step).run()
        epoch = try mark(lease, .filled(from: source.numbers.id), after: epoch, holder)
        source.close()
        try folder.putAside(now: time.now())
        _ = try mark(lease, nil, after: epoch, holder)
        return Outcome(summary: summary)
    }

    /// A log takes a journal where it has no events, where the same move was cut off, or where the journal goes on with what
    /// was moved from the log.
    private func checkTarget(_ record: LeaseRecord, _ mark: LogMark?, _ content: JournalContent) throws {
        let id = content.numbers.id
        switch mark {
        case .filling(id), .filled(id): return
        case .filling, .filled:
            throw MoveFault("\(place) is being filled with another journal: finish that move where it was begun")
        case .leaving(let other), .moved(let other):
            guard other == id, content.last.events >= record.applied else {
                throw MoveFault(
                    "\(place) was moved to another journal, which goes on with it. Give a JOURNAL_NAME that nobody has used"
                )
            }
        case nil:
            guard record.lastEvent == 0, record.applied == 0 else {
                throw MoveFault(
                    "\(place) has events of its own (\(record.lastEvent)). Give a JOURNAL_NAME that nobody has used")
            }
        }
    }

    // MARK: To the folder

    private func toEmbedded(_ lease: any LogLease, _ record: LeaseRecord, isTrial: Bool) throws -> Outcome {
        let found = LogMark(record.fingerprint)
        switch found {
        case .filling, .filled: throw MoveFault("a move to \(place) is not finished: finish that move first")
        case .moved: throw MoveFault("\(place) was moved already: \(record.holder)")
        case .leaving, nil: break
        }
        if folder.hasJournal {
            guard case .leaving(let id) = found, !isTrial else { throw folderIsInUse }
            let target = try folder.open(format, now: time.now())
            defer { target.close() }
            guard target.numbers.id == id else { throw folderIsInUse }
            let summary = try JournalCopy.summary(of: content(of: target, "the journal in \(folder.directory)"))
            _ = try mark(lease, .moved(to: id), after: record.epoch, "moved to STATE_DIR of \(host)")
            return Outcome(summary: summary, isCompletion: true)
        }
        guard record.epoch > 0 else { throw MoveFault("\(place) was never used, so there is nothing to move") }
        if isTrial {
            let content = try content(of: log.movableJournal(epoch: record.epoch, snapshotFormat: format), place)
            defer { content.journal.close() }
            return Outcome(summary: try JournalCopy.summary(of: content))
        }
        let target = try folder.openUnfinished(format, now: time.now())
        defer { target.close() }
        let id = target.numbers.id
        let epoch = try mark(lease, .leaving(to: id), after: record.epoch, "the move to STATE_DIR of \(host)")
        let summary: JournalCopy.Summary
        do {
            let source = try log.movableJournal(epoch: epoch, snapshotFormat: format)
            defer { source.close() }
            let content = try content(of: source, place)
            if content.isEmpty { throw MoveFault("\(place) is empty, so there is nothing to move") }
            summary = try JournalCopy(content: content, target: target, eventLog: nil, step: step).run()
        } catch {
            // Nothing was moved, so the log can go on. Where that cannot be written, the same move can be made again.
            _ = try? mark(lease, nil, after: epoch, record.holder)
            throw error
        }
        target.close()
        try folder.finish(now: time.now())
        _ = try mark(lease, .moved(to: id), after: epoch, "moved to STATE_DIR of \(host)")
        return Outcome(summary: summary)
    }

    private var folderIsInUse: MoveFault {
        MoveFault(
            "\(folder.directory) has a journal already. Set STATE_DIR to an empty folder, or move its journal.db and "
                + "snapshot.* away")
    }

    private var format: Int { JournalThread.snapshotFormat }

    private func content(of journal: any MovableJournal, _ place: String) throws -> JournalContent {
        let cure =
            journal.isShared
            ? "Start a replica once and stop it in order"
            : "Start lkpush once without JOURNAL_URL and stop it in order"
        return try JournalContent(journal, place, cure: cure, now: time.now())
    }
}
