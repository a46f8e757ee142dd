import Platform
import Storage
import Synchronization
import Testing
import Wire

/// What every adapter does with the schema.
@Suite struct MigrationContractTests {
    static let names = [
        "000001_organizations", "000002_rooms", "000003_org_licenses", "000004_recordings", "000005_room_presence",
        "000010_participant_activity_metrics", "000020_recordings_completed_index", "000030_lkpush_outbox",
        "000031_lkpush_outbox_positions", "000040_lkpush_usage_daily",
    ]

    @Test(arguments: Adapter.allCases)
    func `an empty database gets every migration once`(_ adapter: Adapter) throws {
        let scratch = try ScratchDatabase(adapter)
        let store = ApplicationStore(try scratch.connect())
        #expect(try store.migrate(at: noon) == Self.names)
        #expect(try store.migrate(at: noon) == [])
        #expect(try ApplicationStore(scratch.connect()).migrate(at: noon) == [])
        #expect(try !store.isActivityForeign())
    }

    @Test(arguments: Adapter.allCases)
    func `connections that migrate at once share the work`(_ adapter: Adapter) throws {
        let scratch = try ScratchDatabase(adapter)
        let applied = Mutex<[String]>([])
        let errors = Mutex<[StoreError]>([])
        let gate = Monitor(false)
        let threads = (0..<4).map { number in
            NamedThread(name: "migrate \(number)") {
                _ = gate.wait(until: nil) { $0 ? true : nil }
                do throws(StoreError) {
                    let names = try ApplicationStore(try scratch.connect()).migrate(at: noon)
                    applied.withLock { $0 += names }
                } catch {
                    errors.withLock { $0.append(error) }
                }
            }
        }
        gate.change { $0 = true }
        for thread in threads { thread.join() }
        #expect(errors.withLock { $0 } == [])
        #expect(applied.withLock { $0.sorted() } == Self.names)
    }

    @Test(arguments: Adapter.allCases)
    func `a migration that was interrupted goes on where it stopped`(_ adapter: Adapter) throws {
        let scratch = try ScratchDatabase(adapter)
        let (store, database) = try scratch.open()
        _ = try store.write([Row.session(.organization(id: "o", name: "O"))], at: noon)
        // As if an older version had stopped after 000005.
        try database.runScript(
            "DELETE FROM lkpush_migrations WHERE name >= '00001'; DROP INDEX idx_recordings_completed_ended_at;"
                + "DROP TABLE lkpush_outbox")
        #expect(try store.migrate(at: noon) == Array(Self.names[5...]))
        #expect(try database.first("SELECT COUNT(*) FROM participant_activity_metrics") == [.integer(1)])
        let origin = RowOrigin(journal: "j", firstSequence: 1)
        #expect(try store.write([.absent(participantSID: "x")], from: origin, at: noon).written == 1)
        #expect(try !store.isActivityForeign(), "the fact of the first start stays")
    }

    @Test(arguments: Adapter.allCases)
    func `tables of another application are used as they are`(_ adapter: Adapter) throws {
        let scratch = try ScratchDatabase(adapter)
        let database = try scratch.connect()
        try database.runScript(
            """
            CREATE TABLE organizations (id text PRIMARY KEY, workos_org_id text, name text, plan text);
            CREATE TABLE rooms (id text PRIMARY KEY, organization_id text, title text NOT NULL);
            CREATE TABLE participant_activity_metrics (user_id bigint NOT NULL, organization_id text NOT NULL,
                activity_date date NOT NULL, total_duration_seconds double precision NOT NULL,
                session_count bigint NOT NULL, note text DEFAULT 'none' NOT NULL,
                PRIMARY KEY (user_id, organization_id, activity_date));
            INSERT INTO organizations VALUES ('uuid-1', 'org_a', 'A', 'gold');
            INSERT INTO rooms VALUES ('room', 'uuid-1', 'Kitchen');
            INSERT INTO participant_activity_metrics VALUES (1, 'uuid-1', '2026-09-28', 10, 1, 'old');
            """)
        let store = ApplicationStore(database)
        _ = try store.migrate(at: noon)
        #expect(try store.isActivityForeign())
        let organization = try store.organization(ofRoom: "room").get()
        #expect(organization.key == .text("uuid-1"))
        let outcome = try store.write(
            [Row.session(.key(.text("uuid-1")), user: 1, 5), Row.present(.room(name: "room"), "PA_1")], at: noon)
        #expect(outcome.written == 2)
        #expect(
            try database.first("SELECT total_duration_seconds, session_count, note FROM participant_activity_metrics")
                == [.double(15), .integer(2), .text("old")])
        // The column has the type of the key that it holds.
        #expect(
            try database.columns(of: "recordings").first { $0.name == "organization_id" }?.type.lowercased() == "text")
        // The table's own key serves: no second index.
        #expect(try store.presence() == .presence(["org_a": 1]))
    }

    @Test(arguments: Adapter.allCases)
    func `a unique key that is missing is added`(_ adapter: Adapter) throws {
        let database = try ScratchDatabase(adapter).connect()
        try database.runScript(
            """
            CREATE TABLE recordings (egress_id text, room_id text, organization_id bigint, request_type text,
                status text, started_at text, ended_at text, duration_seconds double precision, size_bytes bigint,
                location text, error text, expires_at text)
            """)
        #expect(try !database.isUnique(["egress_id"], in: "recordings"))
        _ = try ApplicationStore(database).migrate(at: noon)
        #expect(try database.isUnique(["egress_id"], in: "recordings"))
        #expect(try !database.isUnique(["room_id"], in: "recordings"))
    }

    @Test(arguments: Adapter.allCases)
    func `one error names everything that does not fit`(_ adapter: Adapter) throws {
        let database = try ScratchDatabase(adapter).connect()
        try database.runScript(
            """
            CREATE TABLE rooms (id text PRIMARY KEY, org bigint);
            CREATE TABLE org_licenses (id bigint);
            CREATE TABLE room_presence (participant_sid text, room_sid text, room_id text, organization_id bigint,
                user_id bigint, identity text, joined_at text, tenant text NOT NULL, seat bigint NOT NULL);
            """)
        let error = #expect(throws: StoreError.self) { try ApplicationStore(database).migrate(at: noon) }
        #expect(
            error?.text == "existing tables do not fit: rooms lacks organization_id; "
                + "org_licenses lacks organization_id, monthly_recording_minutes; "
                + "room_presence needs values that lkpush does not have for tenant, seat")
        #expect(try database.columns(of: "lkpush_migrations").isEmpty, "nothing was changed")
    }

    @Test(arguments: Adapter.allCases)
    func `a unique key that existing rows contradict is an error, and nothing is changed`(_ adapter: Adapter) throws {
        let database = try ScratchDatabase(adapter).connect()
        try database.runScript(
            """
            CREATE TABLE participant_activity_metrics (user_id bigint, organization_id bigint, activity_date date,
                total_duration_seconds double precision, session_count bigint);
            INSERT INTO participant_activity_metrics VALUES (1, 1, '2026-09-28', 1, 1), (1, 1, '2026-09-28', 2, 1);
            """)
        let store = ApplicationStore(database)
        for _ in 0..<2 { #expect(throws: StoreError.self) { try store.migrate(at: noon) } }
        #expect(try database.first("SELECT COUNT(*) FROM participant_activity_metrics") == [.integer(2)])
        #expect(
            try database.rows("SELECT 1 FROM lkpush_migrations WHERE name LIKE '000010%'", []).rows.isEmpty)
    }

    @Test(arguments: Adapter.allCases)
    func `organizations and rooms may be views`(_ adapter: Adapter) throws {
        let database = try ScratchDatabase(adapter).connect()
        try database.runScript(
            """
            CREATE TABLE tenants (tenant_id bigint, label text);
            CREATE VIEW organizations AS SELECT tenant_id AS id, 'org_' || tenant_id AS workos_org_id, label AS name
                FROM tenants;
            CREATE VIEW rooms AS SELECT 'room' AS id, 7 AS organization_id;
            INSERT INTO tenants VALUES (7, 'Seven');
            """)
        let store = ApplicationStore(database)
        _ = try store.migrate(at: noon)
        #expect(try store.organization(ofRoom: "room").get().id == "org_7")
        #expect(try store.write([Row.present(.room(name: "room"), "1")], at: noon).written == 1)
        #expect(try store.presence() == .presence(["org_7": 1]))
    }

    @Test(arguments: Adapter.allCases)
    func `a schema that stopped to fit is found at the next start`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        try database.runScript("ALTER TABLE rooms DROP COLUMN organization_id")
        #expect(throws: StoreError.self) { try store.migrate(at: noon) }
    }
}
