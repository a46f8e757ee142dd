import Platform
import Storage
import StoragePostgres
import TestSupport
import Testing
import Wire

/// Row level security, views and rights of single columns: what they keep from lkpush is found before it costs anything.
@Suite struct PostgresPolicyTests {
    private let server: PostgresServer
    private let name: String
    /// Owns no table.
    private let role: String

    init() throws {
        server = try PostgresServer.shared()
        name = try server.newDatabase()
        role = "guest_of_\(name)"
        try server.query("CREATE ROLE \(role) LOGIN")
    }

    /// Runs statements as the owner; `ROLE` stands for lkpush's role.
    private func own(_ statements: [String]) throws {
        let database = try PostgresSchemas.connect(server.url(database: name))
        defer { database.close() }
        for statement in statements { try database.runScript(statement.replacing("ROLE", with: role)) }
    }

    /// The schema with lkpush's role allowed everything, on top of what is there.
    private func migrate() throws {
        let store = ApplicationStore(try PostgresSchemas.connect(server.url(database: name)))
        defer { store.close() }
        _ = try store.migrate(at: Timestamp(seconds: 1))
        try own([
            "GRANT ALL ON ALL TABLES IN SCHEMA public TO ROLE", "GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO ROLE",
        ])
    }

    private func store(
        as user: String? = nil, lookup: LookupQuery = .standard, options: String = ""
    ) throws -> ApplicationStore {
        let url = server.url(database: name, user: user ?? role) + options
        return ApplicationStore(try PostgresSchemas.connect(url), lookup: lookup)
    }

    private func guarded(
        as user: String? = nil, lookup: LookupQuery = .standard, asksForRooms: Bool = true
    ) throws -> [String] {
        let store = try store(as: user, lookup: lookup)
        defer { store.close() }
        return try store.guardedTables(asksForRooms: asksForRooms).map(\.description)
    }

    private func failure(_ body: () throws(StoreError) -> Void) -> StoreError? {
        do throws(StoreError) { try body() } catch { return error }
        return nil
    }

    // MARK: The table of positions

    @Test func `a policy or a missing right on the table of positions is found like any other`() throws {
        try migrate()
        #expect(try guarded() == [])
        try own(["ALTER TABLE lkpush_outbox_positions ENABLE ROW LEVEL SECURITY"])
        #expect(try guarded().contains { $0.contains("lkpush_outbox_positions") })
        try own([
            "ALTER TABLE lkpush_outbox_positions DISABLE ROW LEVEL SECURITY",
            "REVOKE INSERT, UPDATE, DELETE ON lkpush_outbox_positions FROM ROLE",
        ])
        let store = try store()
        defer { store.close() }
        #expect(try !store.isUsable(.positions))
        // It does without.
        #expect(failure { () throws(StoreError) in try store.checkRights(asksForRooms: true) } == nil)
    }

    // MARK: Where policies apply

    private static let enabled = "ALTER TABLE rooms ENABLE ROW LEVEL SECURITY"

    @Test(
        arguments: [
            ([], []),
            ([enabled], ["rooms (SELECT)"]),
            ([enabled, "CREATE POLICY p ON rooms TO ROLE USING (true)"], []),
            ([enabled, "CREATE POLICY p ON rooms FOR SELECT USING (true)"], []),
            ([enabled, "CREATE POLICY p ON rooms USING (organization_id = 1)"], ["rooms (SELECT)"]),
            ([enabled, "CREATE POLICY p ON rooms TO office USING (true)"], ["rooms (SELECT)"]),
            (
                [
                    enabled, "CREATE POLICY p ON rooms USING (true)",
                    "CREATE POLICY q ON rooms AS RESTRICTIVE USING (id <> 'x')",
                ], ["rooms (SELECT)"]
            ),
            (
                [
                    enabled, "CREATE POLICY p ON rooms USING (true)",
                    "CREATE POLICY q ON rooms AS RESTRICTIVE TO office USING (id <> 'x')",
                ], []
            ),
            (
                [
                    "ALTER TABLE recordings ENABLE ROW LEVEL SECURITY",
                    "CREATE POLICY p ON recordings FOR SELECT USING (true)",
                    "CREATE POLICY q ON recordings FOR INSERT WITH CHECK (true)",
                ], ["recordings (UPDATE)"]
            ),
            (
                [
                    "ALTER TABLE room_presence ENABLE ROW LEVEL SECURITY",
                    "CREATE POLICY p ON room_presence USING (true) WITH CHECK (user_id > 0)",
                ], ["room_presence (INSERT, UPDATE)"]
            ),
            (
                [
                    "ALTER TABLE lkpush_outbox ENABLE ROW LEVEL SECURITY",
                    "ALTER TABLE organizations ENABLE ROW LEVEL SECURITY",
                ], ["organizations (SELECT)", "lkpush_outbox (SELECT, INSERT, UPDATE, DELETE)"]
            ),
        ] as [([String], [String])])
    func `each table where a policy may keep something is named`(_ statements: [String], _ expected: [String]) throws {
        try migrate()
        try own(statements)
        #expect(try guarded() == expected)
        #expect(try guarded(as: "postgres").isEmpty, "a superuser is free")
        #expect(try guarded(as: PostgresServer.role).isEmpty, "so is the owner")
        try server.query("ALTER ROLE \(role) BYPASSRLS")
        #expect(try guarded().isEmpty)
    }

    @Test func `an owner is free until the table forces its policies, and so are those who are in its role`() throws {
        try migrate()
        try own([Self.enabled])
        #expect(try guarded() == ["rooms (SELECT)"])
        try server.query("GRANT \(PostgresServer.role) TO \(role)")
        #expect(try guarded().isEmpty)
        try own(["ALTER TABLE rooms FORCE ROW LEVEL SECURITY"])
        #expect(try guarded() == ["rooms (SELECT)"])
        #expect(try guarded(as: PostgresServer.role) == ["rooms (SELECT)"])
        #expect(try guarded(asksForRooms: false).isEmpty, "nobody asks for rooms")
        try own(["ALTER TABLE organizations ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"])
        #expect(try guarded(asksForRooms: false) == ["organizations (SELECT, INSERT, UPDATE)"])
    }

    @Test func `a partitioned table has its own policies, and those of its parts do not count`() throws {
        try own([
            "CREATE TABLE rooms (id text, organization_id bigint) PARTITION BY LIST (organization_id)",
            "CREATE TABLE rooms_1 PARTITION OF rooms FOR VALUES IN (1)",
        ])
        try migrate()
        try own([
            "INSERT INTO organizations (id, workos_org_id, name) VALUES (1, 'org_1', 'One')",
            "INSERT INTO rooms VALUES ('room', 1)", "ALTER TABLE rooms_1 ENABLE ROW LEVEL SECURITY",
        ])
        #expect(try guarded().isEmpty)
        #expect(try isFound(), "as is said")
        try own([Self.enabled])
        #expect(try guarded() == ["rooms (SELECT)"])
        #expect(try !isFound())
    }

    @Test func `a view hides what its owner, or who asks, may not see`() throws {
        try own([
            "CREATE TABLE app_rooms (id text, organization_id bigint)",
            "CREATE VIEW all_rooms AS SELECT id, organization_id, 1 AS more FROM app_rooms",
            "CREATE VIEW rooms AS SELECT id, organization_id FROM all_rooms WHERE id <> ''",
            "ALTER TABLE app_rooms ENABLE ROW LEVEL SECURITY",
        ])
        try migrate()
        try own([
            "INSERT INTO organizations (id, workos_org_id, name) VALUES (1, 'org_1', 'One')",
            "INSERT INTO app_rooms VALUES ('room', 1)",
        ])
        #expect(try guarded().isEmpty, "views read as their owner")
        #expect(try isFound())
        try own(["ALTER TABLE app_rooms FORCE ROW LEVEL SECURITY"])
        #expect(try guarded() == ["rooms (SELECT)"])
        #expect(try !isFound())
        try own(["CREATE POLICY p ON app_rooms TO office USING (true)"])
        #expect(try guarded().isEmpty)
        #expect(try isFound())
        guard try Int(server.query("SHOW server_version_num")) ?? 0 >= 150_000 else { return }
        try own(["ALTER VIEW all_rooms SET (security_invoker = on)"])
        #expect(try guarded() == ["rooms (SELECT)"], "inside of another view too")
        #expect(try !isFound())
        try own(["ALTER VIEW all_rooms RESET (security_invoker)", "ALTER VIEW rooms SET (security_invoker)"])
        #expect(try guarded().isEmpty, "the inner view asks as its owner")
        #expect(try isFound())
        try own(["ALTER VIEW all_rooms SET (security_invoker = TRUE)"])
        #expect(try guarded() == ["rooms (SELECT)"])
        #expect(try !isFound())
    }

    private func isFound() throws -> Bool {
        let store = try store()
        defer { store.close() }
        return try store.organization(ofRoom: "room") != .failure(.room_not_found)
    }

    @Test func `a lookup of the user's own is looked at too`() throws {
        try migrate()
        try own([
            "CREATE SCHEMA app", "GRANT USAGE ON SCHEMA app TO ROLE",
            "CREATE TABLE app.halls (id uuid, organization bigint)",
            "CREATE TABLE places (id text, organization bigint)", "GRANT SELECT ON app.halls, places TO ROLE",
        ])
        func query(_ table: String) throws -> LookupQuery {
            try LookupQuery(
                sql: """
                    SELECT workos_org_id AS org_id, name AS org_name, organizations.id AS organization_pk
                    FROM organizations JOIN \(table) AS t ON t.organization = organizations.id
                    WHERE t.id = :room -- the end
                    """)
        }
        for table in ["places", "app.halls"] { #expect(try guarded(lookup: query(table)).isEmpty) }
        try own([
            Self.enabled, "ALTER TABLE places ENABLE ROW LEVEL SECURITY",
            "ALTER TABLE app.halls ENABLE ROW LEVEL SECURITY",
        ])
        #expect(try guarded(lookup: query("places")) == ["places (SELECT)"])
        #expect(try guarded(lookup: query("app.halls")) == ["halls (SELECT)"])
        #expect(try guarded(lookup: query("nothing")).isEmpty, "that it does not work is said elsewhere")
        try own(["CREATE POLICY p ON places USING (true)"])
        #expect(try guarded(lookup: query("places")).isEmpty)
        // The connection is as it was.
        let store = try store(lookup: query("places"))
        defer { store.close() }
        _ = try store.guardedTables(asksForRooms: true)
        #expect(try store.organization(ofRoom: "x") == .failure(.room_not_found))
    }

    // MARK: What policies refuse

    private func recording(_ id: String, status: String = "completed") -> StoreRow {
        let time = Timestamp(seconds: 1_790_000_000)
        return .recording(
            RecordingRow(
                owner: .organization(id: "org_1", name: "One"), egressID: id, roomName: "room", requestType: "web",
                status: status, startedAt: time, endedAt: time, duration_seconds: 1, size_bytes: 1, location: "",
                error: "", expiresAt: time))
    }

    private func write(_ rows: [StoreRow], first: Int64 = 1) throws(StoreError) -> WriteOutcome {
        let store: ApplicationStore
        do { store = try self.store() } catch { throw StoreError(.other, operation: "test", text: "\(error)") }
        defer { store.close() }
        return try store.write(
            rows, from: RowOrigin(journal: "j", firstSequence: first), at: Timestamp(seconds: 1_790_000_000))
    }

    private var recordings: String {
        get throws {
            try server.query("SELECT string_agg(egress_id, ' ' ORDER BY egress_id) FROM recordings", in: name)
        }
    }

    @Test func `rows that a policy refuses wait, and are written once it lets them`() throws {
        try migrate()
        try own([
            "ALTER TABLE recordings ENABLE ROW LEVEL SECURITY",
            "CREATE POLICY p ON recordings USING (true) WITH CHECK (egress_id <> 'EG_2')",
        ])
        let rows = ["EG_1", "EG_2", "EG_3"].map { recording($0) }
        for _ in 0..<2 {
            let error = try #require(failure { () throws(StoreError) in _ = try write(rows) })
            #expect(error.isPolicy && error.kind == .other && error.code == "42501", "\(error)")
            #expect(error.text.contains("\"recordings\"") && error.text.contains("no missing GRANT"), "\(error)")
            #expect(try recordings == "")
        }
        try own(["DROP POLICY p ON recordings", "CREATE POLICY p ON recordings USING (true)"])
        #expect(try write(rows).written == 3)
        #expect(try write(rows).repeated == 3)
        #expect(try recordings == "EG_1 EG_2 EG_3")
    }

    @Test func `a policy for UPDATE alone refuses the row that replaces another, and it waits`() throws {
        try migrate()
        try own([
            "ALTER TABLE recordings ENABLE ROW LEVEL SECURITY", "CREATE POLICY p ON recordings FOR SELECT USING (true)",
            "CREATE POLICY q ON recordings FOR INSERT WITH CHECK (true)",
        ])
        #expect(try write([recording("EG_1", status: "failed")]).written == 1)
        let error = failure { () throws(StoreError) in _ = try write([recording("EG_1")], first: 2) }
        #expect(error?.isPolicy == true && error?.kind == .other)
        try own(["CREATE POLICY r ON recordings FOR UPDATE USING (true)"])
        #expect(try write([recording("EG_1")], first: 2).written == 1)
        #expect(try server.query("SELECT status FROM recordings", in: name) == "completed")
    }

    @Test func `a right that is missing, and a trigger that says so, are no policies`() throws {
        try migrate()
        try own(["REVOKE INSERT ON recordings FROM ROLE"])
        let right = failure { () throws(StoreError) in _ = try write([recording("EG_1")]) }
        #expect(right?.code == "42501" && right?.isPolicy == false && right?.kind == .other)
        #expect(right?.text.contains("permission denied") == true && right?.text.contains("policy") == false)
        try own([
            "GRANT INSERT ON recordings TO ROLE",
            """
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN RAISE insufficient_privilege USING MESSAGE = 'row-level security policy'; END $$
            """, "CREATE TRIGGER t BEFORE INSERT ON recordings FOR EACH ROW EXECUTE FUNCTION refuse()",
        ])
        let trigger = failure { () throws(StoreError) in _ = try write([recording("EG_1")]) }
        #expect(trigger?.code == "42501" && trigger?.isPolicy == false && trigger?.kind == .other)
    }

    @Test func `where the URL turns row security off, the refused query is told as a policy's`() throws {
        try migrate()
        try own([Self.enabled])
        let store = try store(options: "?options=-crow_security%3Doff")
        defer { store.close() }
        let error = failure { () throws(StoreError) in _ = try store.organization(ofRoom: "room") }
        #expect(error?.isPolicy == true && error?.text.contains("\"rooms\"") == true, "\(error.debugDescription)")
    }

    @Test func `an organization that a policy hides is told as that`() throws {
        try migrate()
        try own([
            "INSERT INTO organizations (workos_org_id, name) VALUES ('org_1', 'One')",
            "CREATE UNIQUE INDEX ON organizations (workos_org_id)",
            "ALTER TABLE organizations ENABLE ROW LEVEL SECURITY",
            "CREATE POLICY p ON organizations FOR INSERT WITH CHECK (true)",
        ])
        let error = failure { () throws(StoreError) in _ = try write([recording("EG_1")]) }
        #expect(
            error?.text.contains("row level security") == true || error?.isPolicy == true, "\(error.debugDescription)")
        #expect(error?.kind == .other)
    }

    // MARK: Rights

    @Test(
        arguments: [
            (
                [
                    "REVOKE SELECT ON room_presence FROM ROLE",
                    "GRANT SELECT (participant_sid, room_sid, room_id, organization_id, user_id, identity) ON room_presence TO ROLE",
                ],
                "SELECT on room_presence (joined_at)"
            ),
            (
                ["REVOKE SELECT ON org_licenses FROM ROLE", "GRANT SELECT (organization_id) ON org_licenses TO ROLE"],
                "SELECT on org_licenses (monthly_recording_minutes)"
            ),
            (
                [
                    "REVOKE INSERT ON recordings FROM ROLE",
                    "GRANT INSERT (egress_id, status, room_id, organization_id, request_type, started_at, ended_at, duration_seconds, size_bytes, error, expires_at) ON recordings TO ROLE",
                ],
                "INSERT on recordings (location)"
            ),
            (
                [
                    "REVOKE UPDATE ON participant_activity_metrics FROM ROLE",
                    "GRANT UPDATE (session_count) ON participant_activity_metrics TO ROLE",
                ],
                "total_duration_seconds"
            ),
            (
                ["REVOKE SELECT ON rooms FROM ROLE", "GRANT SELECT (id) ON rooms TO ROLE"],
                "SELECT on rooms (organization_id)"
            ),
            (["REVOKE SELECT ON recordings, rooms FROM ROLE"], "SELECT on rooms; SELECT on recordings"),
        ] as [([String], String)])
    func `a right that is missing on a single column is found, and named`(
        _ statements: [String], _ missing: String
    ) throws {
        try migrate()
        let store = try store()
        defer { store.close() }
        #expect(failure { () throws(StoreError) in try store.checkRights(asksForRooms: true) } == nil)
        try own(statements)
        let error = try #require(failure { () throws(StoreError) in try store.checkRights(asksForRooms: true) })
        #expect(error.description.contains("permission denied for table"), "\(error)")
        #expect(error.description.contains("(42501); missing: ") && error.description.contains(missing), "\(error)")
    }

    @Test(arguments: ["uuid", "text", "bigint"])
    func `the check passes whatever type the keys have, and changes nothing`(_ type: String) throws {
        try own([
            "CREATE TABLE organizations (id \(type) PRIMARY KEY, workos_org_id text, name text)",
            "CREATE TABLE rooms (id \(type) PRIMARY KEY, organization_id \(type))",
        ])
        try migrate()
        let store = try store()
        defer { store.close() }
        for asksForRooms in [true, false] { try store.checkRights(asksForRooms: asksForRooms) }
        for table in ["organizations", "recordings", "room_presence", "participant_activity_metrics", "lkpush_outbox"] {
            #expect(try server.query("SELECT COUNT(*) FROM \(table)", in: name) == "0")
        }
    }
}
