import Platform
import Storage
import StoragePostgres
import TestSupport
import Testing
import Wire

/// Migrations in the database of another application.
@Suite struct PostgresMigrationTests {
    struct KeyType: Sendable, CustomTestStringConvertible {
        let name: String
        let value: String
        let key: OrganizationKey
        var testDescription: String { name }
    }

    static let keyTypes = [
        KeyType(name: "bigint", value: "7", key: .integer(7)), KeyType(name: "integer", value: "7", key: .integer(7)),
        KeyType(
            name: "uuid", value: "'6e6f6f6e-0000-4000-8000-000000000007'",
            key: .text("6e6f6f6e-0000-4000-8000-000000000007")),
        KeyType(name: "text", value: "'seven'", key: .text("seven")),
        KeyType(name: "character varying(36)", value: "'seven'", key: .text("seven")),
        KeyType(name: "numeric", value: "7", key: .integer(7)),
    ]
    static let room = "0f0e0d0c-0b0a-4908-8706-050403020100"

    /// The tables of an application, with rows in them.
    static func seed(_ database: any Database, _ type: KeyType) throws {
        try database.runScript(
            """
            CREATE TABLE organizations (id \(type.name) PRIMARY KEY, workos_org_id varchar(100), name varchar(100),
                created_at timestamptz NOT NULL DEFAULT now());
            CREATE TABLE rooms (id uuid PRIMARY KEY, organization_id \(type.name) REFERENCES organizations (id));
            CREATE TABLE org_licenses (id bigserial PRIMARY KEY,
                organization_id \(type.name) NOT NULL REFERENCES organizations (id), monthly_recording_minutes integer);
            INSERT INTO organizations VALUES (\(type.value), 'org_a', 'A');
            INSERT INTO rooms VALUES ('\(room)', \(type.value));
            INSERT INTO org_licenses (organization_id, monthly_recording_minutes) VALUES (\(type.value), 600);
            """)
    }

    @Test(arguments: keyTypes)
    func `columns that hold keys have the type of the keys`(_ type: KeyType) throws {
        let database = try ScratchDatabase(.postgres).connect()
        try Self.seed(database, type)
        let store = ApplicationStore(database)
        #expect(try store.migrate(at: noon) == MigrationContractTests.names)
        for table in ["recordings", "room_presence", "participant_activity_metrics"] {
            let columns = try database.columns(of: table)
            #expect(columns.first { $0.name == "organization_id" }?.type == type.name)
            if table != "participant_activity_metrics" {
                #expect(columns.first { $0.name == "room_id" }?.type == "uuid")
            }
        }
        let organization = try store.organization(ofRoom: Self.room).get()
        #expect(organization == Organization(id: "org_a", name: "A", key: type.key, recordingLimit_minutes: 600))
        let rows = [
            Row.session(.key(type.key), 5), Row.session(.key(type.key), 6),
            Row.present(.key(type.key), "PA", room: Self.room),
            Row.recording(.key(type.key), "EG", room: Self.room),
            Row.recording(.room(name: Self.room), "EG", room: Self.room),
        ]
        #expect(try store.write(rows, at: noon).written == 5)
        #expect(try store.presence() == .presence(["org_a": 1]))
        #expect(
            try store.activity(.week, at: noon)
                == .activity(.week, ["org_a": .init(uniqueUsers: 1, online_seconds: 11)]))
        #expect(
            try store.recordings(.day, at: noon)
                == .recordings(.day, ["org_a": .init(completed: 1, duration_seconds: 100)]))
        #expect(try store.licenses() == .licenses([organization]))
    }

    @Test func `only what is missing is made, whatever is there`() throws {
        let all = [
            "organizations", "rooms", "org_licenses", "recordings", "room_presence", "participant_activity_metrics",
            "idx_recordings_completed_ended_at", "lkpush_outbox", "lkpush_facts", "lkpush_migrations",
        ]
        for missing in all {
            let scratch = try ScratchDatabase(.postgres)
            let (store, database) = try scratch.open()
            _ = try store.write([Row.session(.organization(id: "a", name: "A"))], at: noon)
            let kind = missing.hasPrefix("idx") ? "INDEX" : "TABLE"
            try database.runScript("DROP \(kind) \(missing); DELETE FROM \(Self.marks(missing))")
            let applied = try ApplicationStore(scratch.connect()).migrate(at: noon)
            #expect(applied.count == MigrationContractTests.names.count, "\(missing)")
            #expect(try database.exists(missing))
            #expect(
                try database.first("SELECT COUNT(*) FROM participant_activity_metrics")
                    == [.integer(missing == "participant_activity_metrics" ? 0 : 1)])
        }
    }

    /// Where the migrations are written down; another empty table where that is what is missing.
    private static func marks(_ missing: String) -> String {
        missing == "lkpush_migrations" ? "room_presence" : "lkpush_migrations"
    }

    @Test func `a role that may not create works where all is there`() throws {
        let server = try PostgresServer.shared()
        let name = try server.newDatabase()
        let owner = ApplicationStore(try PostgresSchemas.connect(server.url(database: name)))
        _ = try owner.migrate(at: noon)
        let role = "guarded"
        try server.query(
            """
            REVOKE CREATE ON SCHEMA public FROM PUBLIC; GRANT USAGE ON SCHEMA public TO \(role);
            GRANT SELECT ON organizations, rooms, org_licenses, lkpush_migrations, lkpush_facts TO \(role);
            GRANT INSERT, UPDATE ON organizations TO \(role);
            GRANT SELECT, INSERT, UPDATE, DELETE ON recordings, room_presence, participant_activity_metrics,
                lkpush_outbox TO \(role);
            """, in: name)
        let url = "postgresql://\(role):\(PostgresServer.password)@127.0.0.1:\(server.port)/\(name)"
        let store = ApplicationStore(try PostgresSchemas.connect(url))
        #expect(try store.migrate(at: noon) == [])
        let owned = RowOwner.organization(id: "a", name: "A")
        let rows = [Row.session(owned), Row.present(owned, "PA"), Row.recording(owned, "EG")]
        #expect(try store.write(rows, from: RowOrigin(journal: "j", firstSequence: 1), at: noon).written == 3)
        #expect(try !store.isActivityForeign())
        #expect(try store.purge(before: today) == 0)
        // The tables may have been made by hand: then writing that down is all that is left.
        try server.query(
            "DELETE FROM lkpush_migrations; GRANT INSERT ON lkpush_migrations, lkpush_facts TO \(role)", in: name)
        #expect(try store.migrate(at: noon) == MigrationContractTests.names)
        try server.query("DELETE FROM lkpush_migrations; DROP TABLE lkpush_outbox", in: name)
        let error = #expect(throws: StoreError.self) { try store.migrate(at: noon) }
        #expect(error?.code == "42501" && error?.kind == .other)
    }

    @Test func `a schema other than public is the only one that is touched`() throws {
        let server = try PostgresServer.shared()
        let name = try server.newDatabase()
        let url = server.url(database: name)
        let publicStore = ApplicationStore(try PostgresSchemas.connect(url))
        _ = try publicStore.migrate(at: noon)
        try PostgresSchemas.connect(url).runScript("CREATE SCHEMA \"Metrics Of lkpush\"")
        let own = url + "?options=-csearch_path%3D%22Metrics%5C%20Of%5C%20lkpush%22"
        let store = ApplicationStore(try PostgresSchemas.connect(own))
        #expect(try store.migrate(at: noon) == MigrationContractTests.names)
        #expect(try store.write([Row.present(.organization(id: "a", name: "A"), "PA")], at: noon).written == 1)
        #expect(try store.presence() == .presence(["a": 1]))
        #expect(try publicStore.presence() == .presence([:]))
    }

    @Test func `processes that start together make everything once`() throws {
        let scratch = try ScratchDatabase(.postgres)
        try Self.seed(scratch.connect(), Self.keyTypes[2])
        let (applied, errors, gate) = (Monitor<[String]>([]), Monitor<[StoreError]>([]), Monitor(false))
        let threads = (0..<8).map { number in
            NamedThread(name: "migrate \(number)") {
                do throws(StoreError) {
                    let store = ApplicationStore(try scratch.connect())
                    _ = gate.wait(until: nil) { $0 ? true : nil }
                    for _ in 0..<3 {
                        let names = try store.migrate(at: noon)
                        applied.change { $0 += names }
                    }
                } catch {
                    errors.change { $0.append(error) }
                }
            }
        }
        gate.change { $0 = true }
        for thread in threads { thread.join() }
        #expect(errors.withLock { $0 } == [])
        #expect(applied.withLock { $0.sorted() } == MigrationContractTests.names)
    }

    @Test func `a key that ON CONFLICT cannot use is not taken for one`() throws {
        let database = try ScratchDatabase(.postgres).connect()
        try database.runScript(
            """
            CREATE TABLE recordings (egress_id text, room_id text, organization_id bigint, request_type text,
                status text, started_at timestamptz, ended_at timestamptz, duration_seconds double precision,
                size_bytes bigint, location text, error text, expires_at timestamptz,
                UNIQUE (egress_id) DEFERRABLE);
            CREATE UNIQUE INDEX completed_only ON recordings (egress_id) WHERE status = 'completed';
            CREATE UNIQUE INDEX computed ON recordings (lower(egress_id));
            CREATE UNIQUE INDEX wide ON recordings (egress_id, status);
            """)
        #expect(try !database.isUnique(["egress_id"], in: "recordings"))
        _ = try ApplicationStore(database).migrate(at: noon)
        #expect(try database.isUnique(["egress_id"], in: "recordings"))
        #expect(try database.isUnique(["status", "egress_id"], in: "recordings"))
    }

    /// 1,000,000 rows give the same plan, and take some 10 s longer to make.
    @Test func `recordings of a window are found by the partial index`() throws {
        let (_, database) = try ScratchDatabase(.postgres).open()
        try database.runScript(
            """
            INSERT INTO organizations (workos_org_id, name) SELECT 'org_' || n, 'O' FROM generate_series(1, 50) n;
            INSERT INTO recordings (egress_id, organization_id, request_type, status, ended_at, duration_seconds,
                size_bytes, location, error, expires_at)
            SELECT 'EG_' || n, n % 50 + 1, 'web', CASE WHEN n % 10 = 0 THEN 'failed' ELSE 'completed' END,
                '2026-09-28T12:00Z'::timestamptz - n * interval '5 minutes', 60, 1, '', '', '2026-12-01'
            FROM generate_series(1, 100000) n;
            ANALYZE organizations, recordings
            """)
        let plan = try database.rows(
            """
            EXPLAIN SELECT organizations.workos_org_id, COUNT(*), SUM(recordings.duration_seconds)
            FROM recordings JOIN organizations ON organizations.id = recordings.organization_id
            WHERE recordings.status = 'completed' AND recordings.ended_at >= '2026-08-29T12:00Z'
                AND organizations.workos_org_id <> ''
            GROUP BY organizations.workos_org_id
            """, [])
        let text = plan.rows.compactMap { $0.first?.asText }.joined(separator: "\n")
        #expect(
            text.contains("idx_recordings_completed_ended_at") && !text.contains("Seq Scan on recordings"), "\(text)")
    }
}
