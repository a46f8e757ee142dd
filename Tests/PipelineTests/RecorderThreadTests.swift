import HTTPServing
import LiveKit
import Metrics
import Pipeline
import Platform
import Recording
import SQLite
import Status
import Storage
import StorageSQLite
import TestSupport
import Testing
import Wire

@Suite struct RecorderThreadTests {
    @Test func `a database that is slow to answer makes no event count under unknown`() throws {
        let folder = TemporaryFolder()
        let path = folder.file("office.db")
        let application = ApplicationStore(try SQLiteDatabase(path: path))
        _ = try application.migrate(at: Timestamp(seconds: 1))
        application.close()
        let connection = try Connection(path: path)
        try connection.execute(
            "INSERT INTO organizations (id, workos_org_id, name) VALUES (1, 'org_1', 'One'); "
                + "INSERT INTO rooms (id, organization_id) VALUES ('room', 1)")

        let registry = Registry(maxSeries: 10_000)
        let catalog = Catalog(in: registry, longBuckets: false, project: "p", region: "r")
        let log = Log(level: .error, format: .text)
        let answers = WebhookAnswers(accepted: Response(status: 200)) { _ in Response(status: 503) }
        let inbox = RecorderInbox(capacity: 1_000)
        let intake = WebhookIntake(answers: answers, journal: nil, recorder: inbox)
        // The database opens only when all events have reached the recorder. By then as many events wait as may.
        let isRead = Monitor(false)
        let storeInbox = StoreInbox(StoreSettings(), registry: registry, log: log)
        let store = StoreThread(
            storeInbox, settings: StoreSettings(),
            open: { () throws(StoreError) in
                _ = isRead.wait(until: nil) { $0 ? true : nil }
                return try SQLiteDatabase(path: path)
            }, log: log, answer: { inbox.leave($0) })
        let settings = RecorderSettings(organizationSource: .database, waitingEvents: 4) { _ in 0 }
        let journal = JournalThread(
            JournalInbox(answers: answers), settings: JournalSettings(open: nil), store: storeInbox,
            events: inbox, reservations: intake, restoration: JournalThread.Restoration(settings, catalog),
            registry: registry,
            readiness: Readiness(), log: log)
        let start = try #require(journal.awaitStart())
        let recorder = RecorderThread(
            inbox, start: start, reservations: intake, journal: journal.inbox, store: storeInbox)
        for number in 0..<100 {
            let event = AcceptedEvent(
                event: Event(
                    id: "EV_\(number)", createdAt: 1, room: Room(sid: "RM_\(number)", name: "room"), body: .roomStarted),
                receivedAt: SystemTime().now())
            _ = intake.offer(event, now: SystemTime().monotonic())
        }
        #expect(eventually { intake.count == 0 })
        isRead.change { $0 = true }
        #expect(eventually { counted(registry).values.reduce(0, +) == 100 })
        #expect(counted(registry) == ["org_1": 100])
        intake.close()
        let soon = Waits.end
        #expect(recorder.stop(by: soon))
        #expect(store.stop(by: soon).isFinished)
        #expect(journal.stop(by: soon))
    }

    @Test func `people see a room without an organization until it has one, and what the tables hold`() throws {
        let registry = Registry(maxSeries: 10_000)
        let log = Log(level: .error, format: .text)
        let answers = WebhookAnswers(accepted: Response(status: 200)) { _ in Response(status: 503) }
        let inbox = RecorderInbox(capacity: 100)
        let intake = WebhookIntake(answers: answers, journal: nil, recorder: inbox)
        let storeInbox = StoreInbox(StoreSettings(), registry: registry, log: log)
        let settings = RecorderSettings(organizationSource: .metadata) { _ in 0 }
        let catalog = Catalog(in: registry, longBuckets: false, project: "p", region: "r")
        let journal = JournalThread(
            JournalInbox(answers: answers), settings: JournalSettings(open: nil), store: storeInbox, events: inbox,
            reservations: intake, restoration: JournalThread.Restoration(settings, catalog), registry: registry,
            readiness: Readiness(), log: log)
        let recorder = RecorderThread(
            inbox, start: try #require(journal.awaitStart()), reservations: intake, journal: journal.inbox,
            store: storeInbox, unknownRooms: UnknownRoomsLog(source: .metadata, log: log))
        func receive(_ id: String, of organization: String?) {
            let room = Room(sid: "RM_1", name: "lost", metadataOrganization: organization)
            let event = AcceptedEvent(
                event: Event(id: id, createdAt: 1, room: room, body: .roomStarted), receivedAt: SystemTime().now())
            _ = intake.offer(event, now: SystemTime().monotonic())
        }
        receive("EV_1", of: nil)
        #expect(eventually { inbox.unknownRooms.rooms.map(\.room) == ["lost"] })
        let shown = try #require(inbox.unknownRooms.rooms.first)
        #expect(shown.reason == "no_organization" && shown.action.contains("ORG_METADATA_KEY"))
        #expect(inbox.tables.first { $0.name == "event_ids" }?.entries == 1)
        #expect(inbox.tables.first { $0.name == "unknown_rooms_shown" }?.entries == 1)
        receive("EV_2", of: "org_1")
        #expect(eventually { inbox.unknownRooms.rooms.isEmpty })
        intake.close()
        #expect(recorder.stop(by: Waits.end))
        #expect(journal.stop(by: Waits.end))
    }

    /// The number of rooms started, by organization.
    private func counted(_ registry: Registry) -> [String: Double] {
        var counts: [String: Double] = [:]
        for (family, series) in registry.snapshot() where family.name == "lk_rooms_started_total" {
            for one in series {
                if case .counter(let counter) = one.instrument { counts[one.labelValues[2]] = counter.value }
            }
        }
        return counts
    }
}
