import Journal
import Platform
import TestSupport
import Testing

@testable import Pipeline

/// The reasons for which a replica does not lead, and the numbers of a log that a machine remembers.
@Suite struct LeadingTests {
    // MARK: Configurations

    private let own = LogConfiguration.line(rules: 4, settings: "a")
    private let other = LogConfiguration.line(rules: 4, settings: "b")

    @Test func `anybody leads a log that nobody led, and the same configuration always does`() {
        #expect(LogConfiguration.bar(own, "", isReleased: true) == nil)
        let kept = LogConfiguration.kept(own, after: "")
        #expect(LogConfiguration.bar(own, kept, isReleased: false) == nil)
    }

    @Test func `another configuration leads only after an orderly end, and that of before does not come back`() throws {
        let kept = LogConfiguration.kept(own, after: "")
        let reason = try #require(LogConfiguration.bar(other, kept, isReleased: false))
        #expect(reason.contains("did not stop in order"))
        #expect(LogConfiguration.bar(other, kept, isReleased: true) == nil)
        let next = LogConfiguration.kept(other, after: kept)
        let back = try #require(LogConfiguration.bar(own, next, isReleased: true))
        #expect(back.contains("took over"))
        #expect(LogConfiguration.bar(other, next, isReleased: false) == nil)
        // A decision of people makes it the right one again.
        #expect(LogConfiguration.bar(own, LogConfiguration.kept(own, after: next), isReleased: true) == nil)
    }

    @Test func `a program that knows fewer rules never leads`() {
        let newer = LogConfiguration.kept(LogConfiguration.line(rules: 5, settings: "a"), after: "")
        #expect(LogConfiguration.bar(own, newer, isReleased: true)?.contains("newer") == true)
        let older = LogConfiguration.kept(LogConfiguration.line(rules: 3, settings: "a"), after: "")
        #expect(LogConfiguration.bar(own, older, isReleased: true) == nil)
        #expect(LogConfiguration.bar(own, older, isReleased: false) != nil)
    }

    // MARK: Clocks

    @Test func `of three clocks the one that differs does not lead, and of two or one all may`() {
        #expect(ReplicaClocks.bar(own: 600_000, all: [600_000, 20, -30]) != nil)
        #expect(ReplicaClocks.bar(own: 20, all: [600_000, 20, -30]) == nil)
        #expect(ReplicaClocks.bar(own: 600_000, all: [600_000, 20]) == nil)
        #expect(ReplicaClocks.bar(own: 600_000, all: [600_000]) == nil)
        // The clock of the database is 10 minutes off, and theirs are right.
        #expect(ReplicaClocks.bar(own: 600_010, all: [600_000, 600_010, 599_990]) == nil)
    }

    // MARK: Marks

    private static func record(
        _ id: String, epoch: Int64 = 3, event: Int64 = 100, applied: Int64 = 90, input: Int64 = 7
    ) -> LeaseRecord {
        var record = LeaseRecord()
        (record.id, record.epoch, record.lastEvent) = (id, epoch, event)
        (record.applied, record.lastInput) = (applied, input)
        return record
    }

    private let id = "0123456789abcdef0123456789abcdef"

    @Test func `a log that goes on is the same, and one that lacks anything has lost it`() throws {
        let folder = TemporaryFolder()
        let marks = try LogMarks(path: folder.file("marks"))
        #expect(marks.verdict(Self.record(id)) == .new)
        marks.note(Self.record(id))
        var numbers = JournalNumbers()
        (numbers.id, numbers.lastEvent, numbers.lastInput) = (id, 90, 7)
        marks.note(numbers)
        #expect(marks.verdict(Self.record(id)) == .same)
        #expect(
            marks.verdict(Self.record(id, epoch: 4, event: 200, applied: 150, input: 9)) == .same)
        for lost in [
            Self.record(id, epoch: 2), Self.record(id, event: 99), Self.record(id, applied: 89),
            Self.record(id, input: 6),
        ] {
            #expect(marks.verdict(lost) == .lost(epoch: 3))
        }
        #expect(marks.verdict(Self.record("f" + id.dropFirst(), event: 1)) == .new)
    }

    @Test func `a commit that was seen before its leader knew of it, and was taken back, is no loss`() throws {
        let folder = TemporaryFolder()
        let marks = try LogMarks(path: folder.file("marks"))
        marks.note(Self.record(id))
        #expect(marks.verdict(Self.record(id, applied: 89, input: 6)) == .same)
    }

    @Test func `numbers that rose while the log was read are no loss`() throws {
        let folder = TemporaryFolder()
        let marks = try LogMarks(path: folder.file("marks"))
        marks.note(Self.record(id))
        let seen = marks.seen
        marks.note(lastEvent: 120)
        #expect(LogMarks.verdict(on: Self.record(id, event: 110), after: seen) == .same)
        #expect(LogMarks.verdict(on: Self.record(id, event: 110), after: marks.seen) == .lost(epoch: 3))
    }

    @Test func `what this process appended and committed counts, and the next process knows it`() throws {
        let folder = TemporaryFolder()
        do {
            let marks = try LogMarks(path: folder.file("marks"))
            marks.note(Self.record(id))
            marks.note(lastEvent: 120)
            var numbers = JournalNumbers()
            (numbers.id, numbers.lastEvent, numbers.lastInput) = (id, 110, 8)
            marks.note(numbers)
        }
        let marks = try LogMarks(path: folder.file("marks"))
        #expect(marks.verdict(Self.record(id, event: 119, applied: 110, input: 8)) == .lost(epoch: 3))
        #expect(marks.verdict(Self.record(id, event: 120, applied: 110, input: 7)) == .lost(epoch: 3))
        #expect(marks.verdict(Self.record(id, event: 120, applied: 110, input: 8)) == .same)
        marks.note(Self.record("f" + id.dropFirst(), event: 1, applied: 0, input: 0))
        #expect(marks.verdict(Self.record(id)) == .new, "it follows one log")
    }
}

extension LogMarks {
    fileprivate func verdict(_ record: LeaseRecord) -> Verdict { Self.verdict(on: record, after: seen) }
}
