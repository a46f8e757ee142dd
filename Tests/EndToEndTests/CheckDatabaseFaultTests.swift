import Platform
import TestSupport
import Testing

/// Faults that are planted in a PostgreSQL: `lkpush check` finds each, its cure works as it is printed, and it changes
/// nothing.
@Suite struct CheckDatabaseFaultTests {
    private let folder = TemporaryFolder()
    private let server: PostgresServer
    private let name: String
    /// The role of lkpush. It owns nothing and may nothing.
    private let role: String

    init() throws {
        server = try PostgresServer.shared()
        name = try server.newDatabase()
        role = "lkpush_\(name)"
        try server.query("CREATE ROLE \(role) LOGIN")
    }

    /// A fault, and how to tell that it was found.
    struct Fault: Sendable, CustomTestStringConvertible {
        let testDescription: String
        /// Run as a superuser: ROLE and DATABASE are replaced.
        var plant: [String] = []
        /// The tables are made first, by their owner.
        var isMigrated = true
        var options = ""
        var changes: [String: String] = [:]
        var words: [String] = []
        var mark = "error"
        let subject: String
        let says: [String]
        /// The statements that the finding prints are run, and then nothing is wrong.
        var cures = false
    }

    private static let everything = [
        "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO ROLE"
    ]

    static let faults = [
        Fault(
            testDescription: "a role that may only read",
            plant: ["GRANT SELECT ON ALL TABLES IN SCHEMA public TO ROLE"],
            subject: "database rights",
            says: [
                "GRANT INSERT, UPDATE ON recordings TO ROLE;", "GRANT INSERT, UPDATE, DELETE ON room_presence TO ROLE;",
                "Run as the owner of the tables",
            ], cures: true),
        Fault(
            testDescription: "a role without any right", subject: "database rights",
            says: ["GRANT SELECT ON rooms TO ROLE;", "GRANT SELECT ON lkpush_migrations TO ROLE;"], cures: true),
        Fault(
            testDescription: "one column that may not be read",
            plant: everything + [
                "REVOKE SELECT ON organizations FROM ROLE", "GRANT SELECT (id, name) ON organizations TO ROLE",
            ], subject: "database rights", says: ["GRANT SELECT ON organizations TO ROLE;"], cures: true),
        Fault(
            testDescription: "organizations that cannot be added",
            plant: everything + ["REVOKE INSERT ON organizations FROM ROLE"],
            changes: ["ORG_SOURCE": "metadata", "ORG_METADATA_KEY": "org"], subject: "database rights",
            says: ["GRANT INSERT ON organizations TO ROLE;"], cures: true),
        Fault(
            testDescription: "an empty database in which nothing may be made", isMigrated: false,
            subject: "database rights",
            says: [
                "may not make lkpush_migrations, lkpush_facts, organizations", "so rows wait and none is written",
                "GRANT CREATE ON SCHEMA public TO ROLE;",
            ], cures: true),
        Fault(
            testDescription: "a schema that does not exist", isMigrated: false,
            options: "?options=-csearch_path%3Dnowhere",
            subject: "database rights", says: ["search_path (nowhere)", "CREATE SCHEMA nowhere AUTHORIZATION ROLE;"],
            cures: true),
        Fault(
            testDescription: "a schema that the role may not use", plant: ["CREATE SCHEMA hidden"], isMigrated: false,
            options: "?options=-csearch_path%3Dhidden", subject: "database rights",
            says: ["GRANT USAGE, CREATE ON SCHEMA hidden TO ROLE;"], cures: true),
        Fault(
            testDescription: "a table of another that needs an index",
            plant: everything + [
                "GRANT CREATE ON SCHEMA public TO ROLE", "DROP INDEX idx_recordings_completed_ended_at",
                "DELETE FROM lkpush_migrations WHERE name = '000020_recordings_completed_index'",
            ], subject: "database rights",
            says: [
                "does not own recordings", "000020_recordings_completed_index", "Run lkpush migrate once as the owner",
            ]),
        Fault(
            testDescription: "a table without a column",
            plant: everything + ["ALTER TABLE rooms DROP COLUMN organization_id"],
            subject: "database", says: ["rooms lacks organization_id", "Add the columns"]),
        Fault(
            testDescription: "a database that can only be read",
            plant: everything + ["ALTER DATABASE DATABASE SET default_transaction_read_only = on"], subject: "database",
            says: ["it can only be read (25006)", "target_session_attrs=read-write"]),
        Fault(
            testDescription: "a policy that hides rows",
            plant: everything + ["ALTER TABLE rooms ENABLE ROW LEVEL SECURITY"],
            mark: "warning", subject: "database policies", says: ["rooms (SELECT)", "BYPASSRLS", "CREATE POLICY"]),
        Fault(
            testDescription: "a table that is optional and cannot be used",
            plant: everything + ["REVOKE ALL ON lkpush_outbox_positions FROM ROLE"], mark: "warning",
            subject: "database rights",
            says: ["GRANT SELECT, INSERT, UPDATE, DELETE ON lkpush_outbox_positions TO ROLE;"], cures: true),
        Fault(
            testDescription: "a table of usage that cannot be used",
            plant: everything + ["REVOKE UPDATE ON lkpush_usage_daily FROM ROLE"], mark: "warning",
            subject: "database rights",
            says: ["usage per organization and day waits", "Run: GRANT UPDATE ON lkpush_usage_daily TO ROLE;"],
            cures: true),
        Fault(
            testDescription: "a table of usage that may not be made",
            plant: everything + [
                "REVOKE INSERT ON lkpush_migrations FROM ROLE", "DROP TABLE lkpush_usage_daily",
                "DELETE FROM lkpush_migrations WHERE name LIKE '000040%'",
            ], mark: "warning", subject: "database rights",
            says: [
                "lkpush_usage_daily cannot be used", "GRANT CREATE ON SCHEMA public TO ROLE;",
                "GRANT INSERT ON lkpush_migrations TO ROLE;",
            ], cures: true),
        Fault(
            testDescription: "a table of usage without its key",
            plant: everything + ["DROP INDEX lkpush_lkpush_usage_daily_key"], mark: "warning",
            subject: "database rights", says: ["has no unique index of usage_date, organization_id, usage"]),
        Fault(
            testDescription: "a look-up with a wrong column", plant: everything,
            changes: ["ORG_LOOKUP_SQL": "SELECT nothing FROM rooms WHERE id = :room"], subject: "database",
            says: ["column \"nothing\" does not exist", "Correct ORG_LOOKUP_SQL"]),
        Fault(
            testDescription: "a room that is not there", plant: everything, words: ["--room", "blue"],
            subject: "room blue", says: ["room_not_found", "rooms.id must be the name"]),
        Fault(
            testDescription: "a room without an organization",
            plant: everything + ["INSERT INTO rooms (id) VALUES ('blue')"], words: ["--room", "blue"],
            subject: "room blue", says: ["no_organization", "Set its organization_id"]),
        Fault(
            testDescription: "an organization without its id",
            plant: everything + [
                "INSERT INTO organizations (id, name) VALUES (7, 'Seven')",
                "INSERT INTO rooms (id, organization_id) VALUES ('blue', 7)",
            ], words: ["--room", "blue"], subject: "room blue", says: ["no_org_id", "workos_org_id"]),
    ]

    @Test(arguments: faults)
    func `a planted fault is found, its cure works, and nothing is changed`(_ fault: Fault) throws {
        if fault.isMigrated { try migrate() }
        for statement in fault.plant { try server.query(filled(statement), in: name) }
        let before = try picture()
        let checked = check(fault)
        #expect(try picture() == before)
        #expect(try Folder.names(folder.path).isEmpty)
        #expect(checked.status == (fault.mark == "error" ? 1 : 0), "\(checked)")
        let found = checked.about(fault.subject).filter { $0.mark == fault.mark }
        #expect(found.count == 1, "\(checked)")
        let text = found.first?.text ?? ""
        for words in fault.says { #expect(text.contains(filled(words)), "\(words): \(checked)") }
        #expect(checked.findings.filter { $0.mark != "ok" } == found, "\(checked)")
        guard fault.cures else { return }
        for statement in Self.statements(in: text) { try server.query(statement, in: name) }
        let cured = check(fault)
        #expect(cured.status == 0 && cured.findings.allSatisfy { $0.mark == "ok" }, "\(cured)")
    }

    @Test func `a password, a role and a database that are wrong are told apart`() throws {
        let place = "127.0.0.1:\(server.port)"
        for (url, says, cure) in [
            (
                "postgres://\(PostgresServer.guardedRole):wrong@\(place)/\(name)", "password authentication failed",
                "Check user"
            ),
            ("postgres://nobody_here@\(place)/\(name)", "does not exist", "CREATE ROLE"),
            ("postgres://\(role)@\(place)/no_such_database", "does not exist", "CREATE DATABASE"),
        ] {
            let checked = CheckOutput(in: folder, ["DATABASE_URL": url])
            let text = checked.about("database").first { $0.mark == "error" }?.text ?? ""
            #expect(checked.status == 1 && text.contains(says) && text.contains(cure), "\(checked)")
            #expect(!checked.output.contains("wrong@"))
        }
    }

    @Test(.enabled(if: WrongClock.isInstalled)) func `a clock that is two hours off is told, and its cost`() throws {
        try migrate()
        // The monotonic clocks stay right, as those of a machine are.
        let changes = ["DATABASE_URL": server.url(database: name), "FAKETIME_DONT_FAKE_MONOTONIC": "1"]
        let checked = CheckOutput(in: folder, changes, by: ["/usr/bin/faketime", "-m", "-f", "+7200s"])
        let text = checked.about("database clock").first { $0.mark == "error" }?.text ?? ""
        #expect(checked.status == 1 && text.contains("ahead of that of the database"), "\(checked)")
        #expect(text.contains("rows get the wrong time") && text.contains("NTP"))
    }

    @Test func `a room's organization is told with the way it was found`() throws {
        try migrate()
        try server.query(
            """
            INSERT INTO organizations (id, workos_org_id, name) VALUES (7, 'org_7', 'Seven');
            INSERT INTO rooms (id, organization_id) VALUES ('red', 7)
            """, in: name)
        let changes = ["DATABASE_URL": server.url(database: name)]
        let checked = CheckOutput(in: folder, changes, ["--room=red"])
        #expect(
            checked.about("room red").map(\.text) == [
                "org_7, called Seven: found by the tables rooms and organizations"
            ], "\(checked)")
        #expect(checked.status == 0)
    }

    // MARK: Tools

    private func migrate() throws {
        let elsewhere = TemporaryFolder()
        let environment = BuiltProgram.environment(elsewhere).merging(["DATABASE_URL": server.url(database: name)]) {
            $1
        }
        let migrated = ChildProcess.run(BuiltProgram.executable, ["migrate"], environment: environment)
        try #require(migrated.status == 0, "\(migrated.output)")
    }

    private func check(_ fault: Fault) -> CheckOutput {
        let url = server.url(database: name, user: role) + fault.options
        return CheckOutput(in: folder, ["DATABASE_URL": url].merging(fault.changes) { $1 }, fault.words)
    }

    private func filled(_ text: String) -> String {
        text.split(separator: " ", omittingEmptySubsequences: false).map { word in
            switch word {
            case "ROLE": role
            case "ROLE;": role + ";"
            default: String(word)
            }
        }.joined(separator: " ").replacing("DATABASE DATABASE", with: "DATABASE \(name)")
    }

    /// The statements of a finding: each begins with GRANT or CREATE and ends with a semicolon.
    private static func statements(in text: String) -> [String] {
        text.split(separator: ";").compactMap { part in
            ["GRANT ", "CREATE SCHEMA "].compactMap { part.ranges(of: $0).last?.lowerBound }.min().map {
                String(part[$0...]) + ";"
            }
        }
    }

    /// All tables, columns, rights, and how often rows were changed.
    private func picture() throws -> [[String?]] {
        try server.rows(
            """
            SELECT c.relname, c.relkind, c.relacl::text, a.attname, a.attacl::text, c.relfilenode::text
            FROM pg_class c LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0
            JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
            ORDER BY 1, 4
            """, in: name)
            + server.rows(
                """
                SELECT relname, (xpath('/row/n/text()', query_to_xml('SELECT count(*) || max(xmin::text) AS n FROM '
                    || oid::regclass, true, true, '')))[1]::text
                FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1
                """, in: name)
    }
}
