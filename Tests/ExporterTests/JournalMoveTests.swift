import Exporter
import Journal
import JournalPostgres
import JournalSQLite
import Pipeline
import Platform
import Postgres
import TestSupport
import Testing
import Wire

/// The move of a journal between a folder and a log: what a start restores is the same after it, wherever it was cut off.
@Suite struct JournalMoveTests {
    /// One database has room for the logs of all tests.
    private static let shared = Monitor<(database: String?, logs: Int)>((nil, 0))
    private let server: PostgresServer
    private let database: String
    private let name: String
    private let folder = TemporaryFolder()

    init() throws {
        let server = try PostgresServer.shared()
        self.server = server
        let (database, number) = try Self.shared.change { shared in
            let database = try shared.database ?? server.newDatabase()
            shared = (database, shared.logs + 1)
            return (database, shared.logs)
        }
        (self.database, name) = (database, "moved-\(number)")
    }

    private struct Cut: Error {}

    private var url: PostgresURL {
        get throws { try PostgresURL(server.url(database: database)) }
    }

    private func log() throws -> PostgresLog { PostgresLog(url: try url, name: name) }

    private func move(
        _ direction: JournalMove.Direction, in folder: String? = nil, isTrial: Bool = false,
        isHeld: Bool = false, step: @escaping () throws -> Void = {}
    ) throws -> JournalMove.Outcome {
        let directory = folder ?? self.folder.path
        let move = JournalMove(directory: directory, url: try url, name: name, step: step)
        while true {
            if !isHeld { awaitRelease(of: directory) }
            do {
                return try move.run(direction, isTrial: isTrial)
            } catch  where !isHeld && "\(error)".contains("is in use by process ") {
                // The child process of another test.
                continue
            }
        }
    }

    /// A child process that another test starts has all descriptors of this one for a moment, and locks with them.
    private func awaitRelease(of directory: String) {
        #expect(eventually { StateLock.holder(of: directory) == nil })
    }

    private func fault(_ body: () throws -> Void) -> String {
        do {
            try body()
            return ""
        } catch {
            return "\(error)"
        }
    }

    // MARK: The content

    /// Everything that a start reads.
    private struct Kept: Equatable {
        var numbers: [Int64] = []
        var texts: [String] = []
        var snapshot: Snapshot?
        var events: [String] = []
        var inputs: [String] = []
        var rows: [OutboxRow] = []
        var letters: [DeadLetter] = []
        var ids: [JournalIDSegment] = []
        var series: [[UInt8]] = []

        init(_ journal: any MovableJournal) throws {
            let now = journal.numbers
            numbers = [
                now.lastEvent, now.lastInput, now.rowsApplied, now.inputApplied, now.lastReading?.milliseconds ?? 0,
            ]
            texts = [now.lineage, now.pushedLabels]
            snapshot = try journal.loadSnapshots(now: JournalMoveTests.noon).newest
            #expect(snapshot?.header.journalID == now.id, "else a start begins its counters at zero")
            snapshot?.header.journalID = ""
            events = try Self.entries(journal.entries(.events, after: snapshot?.header.eventsApplied ?? 0))
            inputs = try Self.entries(journal.entries(.inputs, after: snapshot?.header.inputsApplied ?? 0))
            rows = try journal.rows(after: .min, limit: .max).elements
            letters = try journal.deadLetters(after: .min, limit: 100).elements
            var ids: [JournalIDSegment] = []
            let damaged = try journal.forEachSegment { ids.append($0) }
            self.ids = ids
            series = try journal.shipped().elements.sorted { $0.lexicographicallyPrecedes($1) }
            #expect(damaged == 0 && !journal.opening.mayHaveLost)
        }

        private static func entries(_ cursor: any EntryCursor) throws -> [String] {
            var cursor = cursor
            var found: [String] = []
            while let step = try cursor.next() {
                guard case .entry(let number, let reader) = step else { throw Cut() }
                found.append("\(number) of rules \(cursor.rules): \(reader.rest)")
            }
            return found
        }
    }

    private static let noon = Timestamp(seconds: 1_790_000_000)

    private func open(_ folder: String? = nil) throws -> SQLiteJournal {
        let directory = folder ?? self.folder.path
        awaitRelease(of: directory)
        let attempt = try SQLiteJournal.open(directory: directory, snapshotFormat: 1, now: Self.noon)
        guard case .opened(let journal as SQLiteJournal) = attempt else { throw Cut() }
        return journal
    }

    private func keptInFolder() throws -> Kept {
        let journal = try open()
        defer { journal.close() }
        return try Kept(journal)
    }

    private func keptInLog() throws -> Kept {
        let log = try log()
        let lease = log.lease()
        defer { lease.close() }
        let journal = try log.movableJournal(epoch: lease.look().epoch, snapshotFormat: 1)
        defer { journal.close() }
        return try Kept(journal)
    }

    private func group(_ first: Int64, _ count: Int, rules: Int = 1, _ text: String) -> Group {
        var group = Group(first: first, rules: rules)
        for number in 0..<count { group.append { $0.field(1, "\(text) \(first + Int64(number))") } }
        return group
    }

    /// Fills a journal: its snapshot has seven events and two inputs, and some of both follow it.
    private func fill(_ folder: String? = nil) throws -> Kept {
        let journal = try open(folder)
        defer { journal.close() }
        var commit = Commit()
        commit.events = group(1, 7, "event")
        commit.inputs = group(1, 2, "input")
        commit.outboxRows = (1...1_150).map { OutboxRow(sequence: $0, bytes: Array("row \($0)".utf8)) }
        commit.lineage = "starts and names"
        commit.pushedLabels = "job=lkpush"
        commit.seriesBegan = (0..<1_010).map { Array("series \($0)".utf8) }
        commit.deadLetters = [DeadLetter(sequence: 4, at: Self.noon, reason: "too long", row: "{}")]
        commit.ids = [
            JournalIDSegment(snapshot: 3, kind: 1, latest: Self.noon, bytes: [1, 2]),
            JournalIDSegment(snapshot: 3, kind: 2, latest: Self.noon, bytes: [3]),
        ]
        commit.readingSent = Self.noon
        _ = try journal.commit(commit)
        let header = SnapshotHeader(
            journalID: journal.numbers.id, number: 3, eventsApplied: 7, inputsApplied: 2, rowsEmitted: 1_150,
            takenAt: Self.noon, isCleanStop: true)
        try journal.snapshotWriter.save(header, Array(repeating: 7, count: (1 << 20) + 1))
        commit.restart(afterEvent: 7, afterInput: 2)
        commit.events = group(8, 3, rules: 1, "event")
        commit.inputs = group(3, 1, rules: 2, "input")
        commit.rowsAppliedUpTo = 100
        commit.inputAppliedUpTo = 9
        _ = try journal.commit(commit)
        commit.restart(afterEvent: 10, afterInput: 3)
        commit.events = group(11, 2, rules: 3, "event")
        _ = try journal.commit(commit)
        return try Kept(journal)
    }

    // MARK: Both ways

    @Test func `all that a start restores is moved to a log, and back, and to the log again`() throws {
        let kept = try fill()
        let trial = try move(.toShared, isTrial: true)
        #expect(trial.summary.entries == 6 && trial.summary.rows == 1_050 && trial.summary.lastEvent == 12)
        #expect(try move(.toShared).summary == trial.summary)
        #expect(try keptInLog() == kept)
        #expect(fault { _ = try move(.toShared) }.contains("has no journal"))
        let names = try Folder.names(folder.path)
        #expect(!names.contains("journal.db") && !names.contains("snapshot.3"), "\(names)")
        #expect(names.contains { $0.hasPrefix("journal.db.moved-") })

        let log = try log()
        let lease = log.lease()
        let epoch = try #require(
            try lease.take(
                .expired, after: lease.look().epoch, holder: "pod", fingerprint: "", lasting: .seconds(600)))
        #expect(fault { _ = try move(.toEmbedded) }.contains("pod leads the log \(name)"))
        // The last events were appended, and no leader has applied them.
        var group = Group()
        group.append { $0.field(1, "event 13") }
        let appended = ProducedGroup(producer: "a", number: 1, count: 1, bytes: group.bytes)
        #expect(try log.eventLog().append([appended]) == 13)
        try lease.release(epoch)

        #expect(try move(.toEmbedded).summary.lastEvent == 13)
        var expected = kept
        let now = try keptInFolder()
        #expect(now.events.count == 6 && now.events.prefix(5) == kept.events[...])
        expected.numbers[0] = 13
        expected.events = now.events
        #expect(now == expected)
        try Folder.move("\(folder.path)/journal.db", to: "\(folder.path)/away")
        #expect(fault { _ = try move(.toEmbedded) }.contains("was moved already: moved to STATE_DIR of "))
    }

    @Test func `nobody appends to a log that was moved, and it can be moved back to`() throws {
        let kept = try fill()
        _ = try move(.toShared)
        _ = try move(.toEmbedded)
        let appended = ProducedGroup(producer: "a", number: 1, count: 1, bytes: group(1, 1, "x").bytes)
        #expect {
            _ = try log().eventLog().append([appended])
        } throws: { ($0 as? JournalError)?.kind == .replaced }
        let record = try log().lease().look()
        #expect(record.lastEvent == 12 && record.hasExpired)
        #expect(try keptInFolder() == kept)
        _ = try move(.toShared)
        #expect(try keptInLog() == kept)
        #expect(try log().eventLog().append([appended]) == 13)
    }

    @Test(arguments: [JournalMove.Direction.toShared, .toEmbedded])
    func `a move that is cut off at any step is completed by the next attempt`(_ direction: JournalMove.Direction)
        throws
    {
        var cut = 0
        while true {
            let test = try JournalMoveTests()
            let kept = try test.fill()
            if direction == .toEmbedded { _ = try test.move(.toShared) }
            var steps = 0
            let isCut =
                test.fault {
                    _ = try test.move(direction) {
                        steps += 1
                        if steps > cut { throw Cut() }
                    }
                } != ""
            _ = isCut ? try test.move(direction) : nil
            let moved = direction == .toShared ? try test.keptInLog() : try test.keptInFolder()
            #expect(moved == kept, "cut off at step \(cut)")
            let mark = LogMark(try test.log().lease().look().fingerprint)
            #expect((mark == nil) == (direction == .toShared), "step \(cut): \(String(describing: mark))")
            if !isCut { break }
            cut += 1
        }
        #expect(cut > 10)
    }

    // MARK: Refusals

    @Test func `a move that could lose something is refused`() throws {
        #expect(fault { _ = try move(.toShared) }.contains("has no journal"))
        #expect(fault { _ = try move(.toEmbedded) }.contains("was never used"))
        let kept = try fill()
        do {
            let holder = try open()
            #expect(fault { _ = try move(.toShared, isHeld: true) }.contains("is in use by process "))
            #expect(try Kept(holder) == kept)
            holder.close()
        }
        _ = try move(.toShared)
        let other = TemporaryFolder()
        _ = try fill(other.path)
        #expect(fault { _ = try move(.toEmbedded, in: other.path) }.contains("has a journal already"))
        #expect(try keptInLog() == kept)
    }

    @Test func `a journal that lost something is not moved before a start has dealt with it`() throws {
        _ = try fill()
        try Folder.move("\(folder.path)/snapshot.3", to: "\(folder.path)/away")
        do {
            let journal = try open()
            var commit = Commit()
            commit.truncation = Truncation(events: 7, inputs: 2)
            _ = try journal.commit(commit)
            journal.close()
        }
        #expect(fault { _ = try move(.toShared) }.contains("has no snapshot of what was counted. Start lkpush once"))
    }

    @Test func `settings are adopted only where no replica leads, and those of before lead no more`() throws {
        let (before, after) = (
            LogConfiguration.line(rules: 4, settings: "before"), LogConfiguration.line(rules: 4, settings: "after")
        )
        let move = JournalMove(directory: folder.path, url: try url, name: name)
        let lease = try log().lease()
        let epoch = try lease.take(
            .expired, after: 0, holder: "a", fingerprint: LogConfiguration.kept(before, after: ""),
            lasting: .seconds(3_600))
        #expect(fault { try move.adopt(after) }.contains("a leads"))
        try lease.release(try #require(epoch))
        try move.adopt(after)
        let record = try lease.look()
        #expect(LogConfiguration.bar(after, record.fingerprint, isReleased: false) == nil)
        #expect(LogConfiguration.bar(before, record.fingerprint, isReleased: true) != nil)
    }

    @Test func `a log with events of its own takes no other journal`() throws {
        let appended = ProducedGroup(producer: "a", number: 1, count: 1, bytes: group(1, 1, "x").bytes)
        _ = try log().eventLog().append([appended])
        let kept = try fill()
        #expect(fault { _ = try move(.toShared) }.contains("has events of its own (1)"))
        #expect(try keptInFolder() == kept)
    }

    @Test func `events that wait for the log are forwarded before a move away from it`() throws {
        _ = try fill()
        _ = try move(.toShared)
        let spill = try SQLiteSpill(directory: folder.path)
        try spill.add([ProducedGroup(producer: "a", number: 1, count: 3, bytes: group(1, 3, "x").bytes)])
        #expect(fault { _ = try move(.toEmbedded, isHeld: true) }.contains("is in use by process "))
        spill.close()
        let other = TemporaryFolder()
        do {
            let spill = try SQLiteSpill(directory: other.path)
            try spill.add([ProducedGroup(producer: "a", number: 1, count: 3, bytes: group(1, 3, "x").bytes)])
            spill.close()
        }
        #expect(fault { _ = try move(.toEmbedded, in: other.path) }.contains("3 events wait in "))
    }
}
