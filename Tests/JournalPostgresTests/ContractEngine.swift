import Journal
import JournalPostgres
import JournalSQLite
import Platform
import TestSupport
import Wire

/// The engines of the journal. Both pass the same tests.
enum Engine: String, CaseIterable, Sendable {
    case sqlite, postgres

    /// Makes an empty place for a journal.
    func make() throws -> any JournalPlace {
        switch self {
        case .sqlite: SQLitePlace()
        case .postgres: try PostgresPlace()
        }
    }
}

/// A place where one journal lives, and how tests open it and give it events.
protocol JournalPlace: AnyObject {
    /// Opens the journal as the next process does.
    func open(format: Int) throws -> any StateJournal
    /// Has `commit` take the events with these numbers, which follow the last one.
    func add(_ numbers: ClosedRange<Int64>, to commit: inout Commit) throws
    /// Damages a part of the journal.
    func damage(_ part: Damage) throws
}

/// A part of a journal that a test damages.
enum Damage: Sendable, CaseIterable {
    case newestSnapshot, olderSnapshot
}

extension JournalPlace {
    func open() throws -> any StateJournal { try open(format: 1) }
}

final class SQLitePlace: JournalPlace {
    private let folder = TemporaryFolder()
    private var directory: String
    private var isOpened = false

    init() { directory = folder.file("state") }

    /// A journal in a folder that is kept.
    init(directory: String) { self.directory = directory }

    /// The journal of an earlier call is closed, but its object still has the lock. So the next process gets a copy.
    func open(format: Int) throws -> any StateJournal {
        if isOpened {
            let copy = directory + "-next"
            let result = ChildProcess.run("/bin/cp", ["-r", directory, copy])
            guard result.status == 0 else { throw JournalError(.other, result.output) }
            directory = copy
        }
        guard
            case .opened(let journal) = try SQLiteJournal.open(
                directory: directory, snapshotFormat: format, now: LogFixture.noon)
        else { throw JournalError(.other, "somebody has the journal") }
        isOpened = true
        return journal
    }

    func add(_ numbers: ClosedRange<Int64>, to commit: inout Commit) {
        LogFixture.append(numbers, to: &commit.events)
    }

    func damage(_ part: Damage) throws {
        let files = try Folder.names(directory).filter { $0.hasPrefix("snapshot.") }
        let numbers = files.compactMap { Int64($0.dropFirst("snapshot.".count)) }.sorted()
        guard numbers.count == 2 else { throw JournalError(.other, "there are not two snapshots") }
        let path = directory + "/snapshot.\(numbers[part == .newestSnapshot ? 1 : 0])"
        var bytes = try FileStore.read(path, limit: 1 << 30)
        bytes[bytes.count - 1] ^= 1
        try FileStore.replace(path, with: bytes)
    }
}

final class PostgresPlace: JournalPlace {
    let fixture: LogFixture
    private let log: PostgresLog
    private let events: any EventLog
    private var groups: Int64 = 0
    private var last: Int64 = 0

    /// - Parameter proxy: the leader reaches the server through it.
    init(through proxy: ((UInt16) throws -> PostgresProxy)? = nil) throws {
        fixture = try LogFixture()
        self.proxy = try proxy?(fixture.server.port)
        log = try fixture.log(port: self.proxy?.port)
        events = try fixture.log().eventLog()
    }

    let proxy: PostgresProxy?

    func open(format: Int) throws -> any StateJournal {
        try fixture.open(log, epoch: fixture.takeLease(fixture.log()), format: format)
    }

    /// Opens the journal for a process that knows that something was lost.
    func open(hasLost: Bool) throws -> any StateJournal {
        try fixture.open(log, epoch: fixture.takeLease(fixture.log()), hasLost: hasLost)
    }

    func add(_ numbers: ClosedRange<Int64>, to commit: inout Commit) throws {
        // A commit that is tried again has the same events, which are in the log already.
        if numbers.upperBound > last {
            groups += 1
            last = try events.append([LogFixture.group("p", groups, numbers)])
        }
        guard last == numbers.upperBound else { throw JournalError(.other, "the log ends at \(last)") }
        commit.eventsApplied = numbers.upperBound
    }

    func damage(_ part: Damage) throws {
        let offset = part == .newestSnapshot ? 0 : 1
        try fixture.query(
            """
            UPDATE lkpush_journal_snapshot_parts SET bytes = bytes || '\\x00' WHERE log = '\(fixture.name)' AND upload = (
                SELECT upload FROM lkpush_journal_snapshots WHERE log = '\(fixture.name)' AND set_aside IS NULL
                ORDER BY number DESC OFFSET \(offset) LIMIT 1)
            """)
    }
}
