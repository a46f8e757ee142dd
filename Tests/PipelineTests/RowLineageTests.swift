import Journal
import JournalSQLite
import Platform
import Recording
import Storage
import StorageSQLite
import TestSupport
import Testing
import Wire

@testable import Pipeline

/// The names of rows, the starts that gave them, and the ordinals of inputs.
@Suite struct RowLineageTests {
    private func row(_ number: Int64, _ input: Int64?) -> NumberedRow {
        NumberedRow(
            number: number, row: .absent(participantSID: "\(number)"),
            position: input.map { RowPosition(input: $0, index: 1) })
    }

    @Test
    func `a new name is for what comes after the fork, and for rows without an input after those that were there`() {
        var lineage = RowLineage(name: "old")
        lineage.begin(after: 7)
        lineage.rename(after: 10, afterNumber: 5)
        let places = [row(9, 10), row(9, 11), row(5, nil), row(6, nil)].map { lineage.place(of: $0) }
        #expect(places == [0, 1, 0, 1])
        #expect(lineage.names.first?.id == "old" && lineage.current != "old")
        #expect(RowLineage(text: lineage.text) == lineage)
        #expect(RowLineage(text: "") == nil && RowLineage(text: "nonsense\n") == nil)
    }

    @Test func `starts and names have a bound, and the newest stay`() {
        var lineage = RowLineage(name: "old")
        for number in 1...100 as ClosedRange<Int64> {
            lineage.begin(after: number)
            lineage.rename(after: number, afterNumber: number)
        }
        #expect(lineage.starts.count == RowLineage.Limits.starts && lineage.starts.last?.after == 100)
        #expect(lineage.names.count == RowLineage.Limits.names && lineage.names.last?.after == 100)
        #expect(Set(lineage.starts.map(\.id)).count == RowLineage.Limits.starts)
    }

    @Test func `a batch has one name, and none leaves while there is no new one`() {
        var lineage = RowLineage(name: "old")
        lineage.begin(after: 2)
        var buffer = RowBuffer(capacity: 10)
        buffer.use(lineage, beganAfter: 2, appliedInput: 0)
        for number in 1...4 as ClosedRange<Int64> { _ = buffer.append(row(number, number)) }
        #expect(buffer.take(limit: 10) && buffer.batch.count == 4)
        #expect(buffer.origin?.history?.sharesRows == false && buffer.origin?.history?.knownSequence == 2)
        buffer.refuseName()
        #expect(!buffer.take(limit: 10) && buffer.count == 4)
        lineage.rename(after: 2, afterNumber: 2)
        buffer.use(lineage, beganAfter: 2, appliedInput: 0)
        #expect(buffer.take(limit: 10) && buffer.batchSequence == 1 && buffer.batch.count == 2)
        #expect(buffer.origin?.journal == "old" && buffer.origin?.history?.sharesRows == true)
        #expect(buffer.applied() == 2)
        #expect(buffer.take(limit: 10) && buffer.batchSequence == 3 && buffer.batch.count == 2)
        #expect(buffer.origin?.journal == lineage.current && buffer.origin?.history?.sharesRows == false)
        #expect(buffer.applied() == 4 && buffer.appliedInput == 4)
    }

    @Test func `a row on disk has its input, and who knows nothing of that reads the row`() throws {
        for numbered in [row(7, 1 << 50), row(8, nil)] {
            let spilled = OutboxRow(numbered)
            let found = try NumberedRow(spilled)
            #expect(found.row == numbered.row && found.position == numbered.position && found.number == numbered.number)
            var reader = MessageReader(spilled.bytes)
            #expect(try StoreRow(from: &reader) == numbered.row)
        }
    }

    @Test func `what the journal and its snapshots hold is what the schema says`() throws {
        var group = Group(rules: 2)
        group.append { JournalFixture.event(1).encode(into: &$0) }
        #expect(try Protoc.decodeJournal(group.bytes, "Group").contains("rules: 2"))
        var event = MessageWriter()
        JournalFixture.event(1).encode(into: &event)
        #expect(try Protoc.decodeJournal(event.bytes, "AcceptedEvent").contains("received_at_ms"))
        var input = MessageWriter()
        InputEntry(input: .time(at: Timestamp(seconds: 1)), after: 3).encode(into: &input)
        #expect(try Protoc.decodeJournal(input.bytes, "InputEntry").contains("after: 3"))
        #expect(try Protoc.decodeJournal(OutboxRow(row(7, 9)).bytes, "StoreRow").contains("input: 9"))
        var snapshot = MessageWriter()
        SnapshotBody.append(state: { $0.field(1, 1 as UInt64) }, to: &snapshot)
        snapshot = MessageWriter(
            appendingTo: SnapshotBody.complete(
                snapshot.bytes, rowOrigin: "j", isJournaled: true, ordinalBase: 5, lineage: "j:-1:0\n"))
        #expect(try Protoc.decodeJournal(snapshot.bytes, "Snapshot").contains("ordinal_base: 5"))
        // The program before this version knows fields 1 to 3 and skips the others.
        let read = try SnapshotBody.read(snapshot.bytes)
        #expect(read.rowOrigin == "j" && read.isJournaled && read.ordinalBase == 5)
    }

    // MARK: The journal thread

    /// Appends an event to the journal of a folder as a program with other rules would.
    private func append(_ id: Int, rules: Int, to directory: String) throws {
        let journal = try JournalFile(directory: directory, now: SystemTime().now())
        var commit = Commit(rules: rules)
        commit.restart(afterEvent: journal.numbers.lastEvent, afterInput: journal.numbers.lastInput)
        commit.events.append { JournalFixture.event(id).encode(into: &$0) }
        try journal.commit(commit)
        journal.close()
    }

    @Test func `rules above our own make counters begin at zero until a snapshot is there; older ones do not`() throws {
        let fixture = JournalFixture()
        _ = try #require(PlayedRecorder(fixture))
        #expect(fixture.post(1) == 200)
        let older = fixture.crash()
        try append(2, rules: 1, to: older)
        let same = JournalFixture(older)
        #expect(try #require(PlayedRecorder(same)).events == 2)
        #expect(same.total("lk_rooms_started_total") == 2)
        let newer = fixture.crash()
        try append(2, rules: Recorder.rules + 1, to: newer)
        let below = JournalFixture(newer)
        let recorder = try #require(PlayedRecorder(below))
        #expect(recorder.events == 2 && below.total("lk_rooms_started_total") == 0)
        // Rows go on under the same numbers, because nothing is missing.
        #expect(recorder.rows == 0)
        #expect(recorder.save())
        #expect(below.post(3) == 200)
        let next = JournalFixture(below.crash())
        #expect(try #require(PlayedRecorder(next)).events == 3)
        #expect(next.total("lk_rooms_started_total") == 1)
    }

    @Test func `each start is in the journal before rows leave, and follows the one before`() throws {
        let fixture = JournalFixture()
        let recorder = try #require(PlayedRecorder(fixture))
        recorder.tick()
        recorder.emit(JournalFixture.row(1))
        recorder.handOver()
        #expect(eventually { fixture.rows.count == 1 })
        let directory = fixture.crash()
        let first = try lineage(directory)
        #expect(first.starts.map(\.after) == [0])
        let next = JournalFixture(directory)
        _ = try #require(PlayedRecorder(next))
        let second = try lineage(next.crash())
        #expect(second.starts.map(\.after) == [0, 1] && second.starts.first == first.starts.first)
        #expect(second.current == first.current)
    }

    @Test func `a name that was lost to a copy is not used again after a crash`() throws {
        let fixture = JournalFixture()
        let recorder = try #require(PlayedRecorder(fixture))
        recorder.tick()
        recorder.handOver()
        fixture.inbox.note(.copied(after: 0))
        #expect(eventually { fixture.total("lkpush_state_copies_total") == 1 })
        #expect(eventually { (try? lineage(fixture.crash()))?.names.count == 2 })
        let directory = fixture.crash()
        let name = try lineage(directory).current
        let next = JournalFixture(directory)
        let again = try #require(PlayedRecorder(next))
        #expect(eventually { next.storeInbox.mail.withLock { $0.rows.name } == name })
        // The snapshot has the new name, too, for a program that knows no list of names.
        #expect(again.save())
    }

    private func lineage(_ directory: String) throws -> RowLineage {
        let copy = TemporaryFolder()
        let done = ChildProcess.run("/bin/cp", ["-r", directory, copy.file("state")])
        try #require(done.status == 0, "\(done.output)")
        let journal = try JournalFile(directory: copy.file("state"), now: SystemTime().now())
        defer { journal.close() }
        return try #require(RowLineage(text: journal.numbers.lineage))
    }
}
