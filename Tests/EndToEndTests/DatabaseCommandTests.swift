import Platform
import TestSupport
import Testing

/// `lkpush check` and `lkpush migrate` with PostgreSQL, as an operator uses them.
@Suite struct DatabaseCommandTests {
    private let folder = TemporaryFolder()
    private let server: PostgresServer
    private let name: String

    init() throws {
        server = try PostgresServer.shared()
        name = try server.newDatabase()
    }

    private func run(
        _ command: String, user: String = PostgresServer.role, _ more: [String: String] = [:]
    ) -> (status: Int32, output: String) {
        let own = ["DATABASE_URL": server.url(database: name, user: user)].merging(more) { $1 }
        let environment = BuiltProgram.environment(folder).merging(own) { $1 }
        let (status, output) = ChildProcess.run(BuiltProgram.executable, [command], environment: environment)
        return (status, output)
    }

    @Test func `an application's database is in order before lkpush has been there`() throws {
        try server.execute(
            [
                "CREATE TABLE organizations (id uuid PRIMARY KEY, workos_org_id text, name text)",
                "CREATE TABLE rooms (id uuid PRIMARY KEY, organization_id uuid)",
            ], in: name)
        let before = run("check")
        #expect(before.status == 0, "\(before.output)")
        #expect(before.output.contains("ok       database  ") && before.output.contains("000003_org_licenses"))
        let migrated = run("migrate")
        #expect(migrated.status == 0 && migrated.output.contains("applied 000003_org_licenses\n"), "\(migrated.output)")
        let after = run("check")
        #expect(after.status == 0 && after.output.contains("tables, rights and lookups are in order"))
    }

    @Test func `what does not fit is named by check and migrate alike`() throws {
        try server.execute(
            ["CREATE TABLE organizations (id uuid PRIMARY KEY)", "CREATE TABLE rooms (id uuid PRIMARY KEY)"], in: name)
        for command in ["check", "migrate"] {
            let result = run(command)
            #expect(result.status == 1, "\(command): \(result.output)")
            for word in ["organizations lacks", "workos_org_id", "rooms lacks organization_id"] {
                #expect(result.output.contains(word), "\(command): \(result.output)")
            }
            #expect(!result.output.contains("{\"ts\""), "a command speaks to people")
        }
    }

    @Test func `a right that is missing, and a database that may only be read, are found before the first row`() throws
    {
        try server.query("CREATE ROLE reader_of_\(name) LOGIN")
        #expect(run("migrate").status == 0)
        try server.query(
            "GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader_of_\(name)", in: name)
        let reader = run("check", user: "reader_of_\(name)")
        #expect(reader.status == 1)
        #expect(
            reader.output.contains(
                "GRANT INSERT, UPDATE, DELETE ON participant_activity_metrics TO reader_of_\(name);"),
            "\(reader.output)")
        try server.query(
            """
            GRANT INSERT, UPDATE, DELETE ON participant_activity_metrics, recordings, room_presence, lkpush_outbox
            TO reader_of_\(name)
            """, in: name)
        let writer = run("check", user: "reader_of_\(name)")
        #expect(writer.status == 0, "organizations are the application's")
        #expect(writer.output.contains("lkpush_outbox_positions cannot be used"))
        let byName = ["ORG_SOURCE": "metadata", "ORG_METADATA_KEY": "org_id"]
        #expect(
            run("check", user: "reader_of_\(name)", byName).output.contains(
                "GRANT INSERT, UPDATE ON organizations TO reader_of_\(name);")
        )
        try server.query("ALTER DATABASE \(name) SET default_transaction_read_only = on")
        #expect(run("check").output.contains("it can only be read (25006)"))
    }

    @Test func `a lookup that does not work is said to`() throws {
        #expect(run("migrate").status == 0)
        let unknown = run("check", ["ORG_LOOKUP_SQL": "SELECT nothing FROM rooms WHERE id = :room"])
        #expect(unknown.status == 1 && unknown.output.contains("column \"nothing\" does not exist"))
        let few = run("check", ["ORG_LOOKUP_SQL": "SELECT id AS org_id FROM rooms WHERE id = :room"])
        #expect(few.status == 1 && few.output.contains("expected org_id, org_name, organization_pk"))
        // The query is not tried if organizations come from elsewhere.
        let unused = ["ORG_LOOKUP_SQL": "SELECT nothing FROM rooms WHERE id = :room", "ORG_SOURCE": "fixed"]
        #expect(run("check", unused).status == 0)
    }
}
