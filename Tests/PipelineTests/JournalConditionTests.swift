import Platform
import Status
import Storage
import TestSupport
import Testing
import Wire

@testable import Pipeline

/// What the journal thread tells people.
@Suite struct JournalConditionTests {
    private func commit(_ fixture: JournalFixture, at seconds: Int64) {
        _ = fixture.inbox.commit(
            reading: Timestamp(seconds: seconds), destination: "default", labels: "", began: [], ended: [])
    }

    @Test(arguments: JournalSettings.Durability.allCases)
    func `a journal that cannot be written is named with its error and what to do, until it can`(
        _ durability: JournalSettings.Durability
    ) throws {
        let disk = MemoryStateJournal.Disk()
        let fixture = JournalFixture(open: disk.opener, durability: durability)
        _ = try #require(fixture.journal.awaitStart())
        #expect(eventually { fixture.inbox.condition.isUp == true })
        #expect(fixture.inbox.condition.error.isEmpty)
        let before = SystemTime().now()
        disk.fail(true)
        commit(fixture, at: 1)
        #expect(eventually { fixture.inbox.condition.isUp == false })
        let failing = fixture.inbox.condition
        #expect(failing.error == "told to fail")
        #expect(failing.advice?.action.contains("STATE_DIR") == true)
        let since = try #require(failing.since)
        #expect(since >= before - .milliseconds(1) && since <= SystemTime().now())
        // What blocks webhooks is told by obstacle. Without durable events nothing does.
        let reason = fixture.readiness.reason(of: .journal)
        #expect(reason == (durability == .commit ? "the journal cannot be written: told to fail" : nil))
        #expect(fixture.readiness.reason(of: .stopping) == nil)
        let costs = durability == .commit ? "webhooks are refused" : "webhooks are taken"
        let what = failing.advice.map { "\($0.what)" } ?? ""
        #expect(what.contains(costs))
        disk.fail(false)
        #expect(eventually { fixture.inbox.condition.isUp == true })
        let good = fixture.inbox.condition
        #expect(good.error.isEmpty && good.since == nil && good.advice == nil)
    }

    @Test func `a full disk says so, and that room is needed`() throws {
        guard SmallFileSystem.isAllowed else { return }
        let folder = TemporaryFolder()
        let disk = try SmallFileSystem(in: folder)
        let fixture = JournalFixture(disk.path + "/state")
        _ = try #require(fixture.journal.awaitStart())
        try disk.fill()
        #expect(eventually { fixture.post(1) == 503 })
        #expect(eventually { fixture.inbox.condition.isUp == false })
        #expect(fixture.inbox.condition.advice?.action == "make room on the file system of STATE_DIR")
        disk.free()
        #expect(eventually { fixture.inbox.condition.isUp == true })
    }

    @Test func `a folder that cannot be used keeps its error, also where there is no journal then`() throws {
        let fixture = JournalFixture("/proc/none/state", durability: .memory)
        _ = try #require(fixture.journal.awaitStart())
        let condition = fixture.inbox.condition
        #expect(condition.isUp == nil)
        #expect(condition.error.contains("/proc/none"), "\(condition.error)")
        #expect(condition.since != nil && condition.advice != nil)

        let waiting = JournalFixture("/proc/none/state")
        #expect(eventually { waiting.inbox.condition.isUp == false })
        #expect(waiting.inbox.condition.error.contains("/proc/none"))
        waiting.inbox.cancelStart()
    }

    @Test func `refused rows are counted, and the last ones shown without their values, the newest first`() throws {
        let fixture = JournalFixture()
        _ = try #require(fixture.journal.awaitStart())
        #expect(fixture.inbox.deadLetters.kept == 0 && fixture.inbox.deadLetters.last.isEmpty)
        let refused = (1...25).map { number in
            RefusedRow(
                number: Int64(number), row: JournalFixture.row(number),
                error: StoreError(.refused, operation: "INSERT", code: "23514", text: "constraint \(number)"))
        }
        fixture.inbox.note(.applied(upTo: 25, input: 0, left: 0, refused: refused))
        #expect(eventually { fixture.inbox.deadLetters.kept == 25 })
        let last = fixture.inbox.deadLetters.last
        #expect(last.map(\.reason) == (6...25).reversed().map { "INSERT: constraint \($0) (23514)" })
        #expect(last.allSatisfy { $0.table == "room_presence" && $0.at > Timestamp(seconds: 1_700_000_000) })
        #expect(fixture.inbox.deadLetters.dropped == 0)

        let next = JournalFixture(fixture.crash())
        _ = try #require(next.journal.awaitStart())
        #expect(next.inbox.deadLetters.kept == 25)
        #expect(next.inbox.deadLetters.last.isEmpty)
    }

    @Test func `what waits is told, each table once`() throws {
        let fixture = JournalFixture()
        _ = try #require(fixture.journal.awaitStart())
        #expect(fixture.post(1) == 200)
        #expect(eventually { fixture.inbox.tables.contains { $0.name == "journal_rows_pending" } })
        let tables = fixture.inbox.tables + fixture.storeInbox.tables + fixture.intake.tables
        #expect(Set(tables.map(\.name)).count == tables.count)
        #expect(tables.first { $0.name == "queue_events" }?.entries == 1)
        #expect(tables.first { $0.name == "store_lookups" }?.max == StoreSettings.Limits.lookupsWaiting)
    }
}
