import Platform
import TestSupport
import Testing

/// A PostgreSQL with row level security, as an operator uses it.
@Suite struct RowLevelSecurityTests {
    private let folder = TemporaryFolder()
    private let server: PostgresServer
    private let name: String
    private let role: String

    init() throws {
        server = try PostgresServer.shared()
        name = try server.newDatabase()
        role = "tenant_of_\(name)"
        let owner = ["DATABASE_URL": server.url(database: name)]
        let migrated = ChildProcess.run(
            BuiltProgram.executable, ["migrate"],
            environment: BuiltProgram.environment(folder).merging(owner) { $1 })
        try #require(migrated.status == 0, "\(migrated.output)")
        try server.query(
            """
            CREATE ROLE \(role) LOGIN; GRANT ALL ON ALL TABLES IN SCHEMA public TO \(role);
            GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO \(role);
            INSERT INTO organizations (id, workos_org_id, name) VALUES (7, 'org_7', 'Seven');
            INSERT INTO rooms (id, organization_id) VALUES ('red', 7);
            """, in: name)
    }

    private var url: String { server.url(database: name, user: role) }

    private func check(_ more: [String: String] = [:]) -> (status: Int32, line: String) {
        let checked = CheckOutput(in: folder, ["DATABASE_URL": url].merging(more) { $1 })
        let found = checked.findings.last { ["database", "database policies"].contains($0.subject) }
        return (checked.status, found.map { "\($0)" } ?? checked.output)
    }

    private func lines(_ exporter: MortalExporter, _ text: String) -> [Substring] {
        exporter.output.split(separator: "\n").filter { $0.contains(text) }
    }

    private func send(_ webhooks: [RetryingSender.Webhook], to exporter: MortalExporter) throws {
        let sender = RetryingSender(webhooks, to: exporter.webhooks, patience: .untilAnswered(scaledBy: 0.01))
        #expect(sender.waitUntilAllSettled())
        #expect(sender.stop().accepted == webhooks.count)
    }

    @Test func `check says which tables, what it costs and what to do`() throws {
        #expect(check().line.hasSuffix("tables, rights and lookups are in order"))
        try server.query(
            "ALTER TABLE rooms ENABLE ROW LEVEL SECURITY; ALTER TABLE recordings ENABLE ROW LEVEL SECURITY", in: name)
        let (status, line) = check()
        #expect(status == 0, "a warning is no failure")
        for word in [
            "warning  database policies  ", "on rooms (SELECT), recordings (SELECT, INSERT, UPDATE)",
            "count as unknown", "wait",
            "BYPASSRLS", "CREATE POLICY",
        ] {
            #expect(line.contains(word), "\(line)")
        }
        #expect(!check(["ORG_SOURCE": "fixed"]).line.contains("rooms ("), "rooms are not asked for")
        // The advice of the warning helps.
        try server.query(
            """
            CREATE POLICY a ON rooms TO \(role) USING (true) WITH CHECK (true);
            CREATE POLICY a ON recordings TO \(role) USING (true) WITH CHECK (true)
            """, in: name)
        #expect(check().line.hasPrefix("ok  database  "), "\(check().line)")
    }

    @Test func `an application's policies are found before lkpush's tables are there`() throws {
        let other = try server.newDatabase()
        try server.query(
            """
            CREATE TABLE organizations (id uuid PRIMARY KEY, workos_org_id text, name text);
            CREATE TABLE rooms (id uuid PRIMARY KEY, organization_id uuid);
            GRANT ALL ON rooms, organizations TO \(role); GRANT CREATE ON SCHEMA public TO \(role); ALTER TABLE rooms ENABLE ROW LEVEL SECURITY
            """, in: other)
        let line = check(["DATABASE_URL": server.url(database: other, user: role)]).line
        #expect(line.hasPrefix("warning") && line.contains("rooms (SELECT)"), "\(line)")
    }

    @Test func `a start warns, and the rooms that are hidden are told`() throws {
        try server.query("ALTER TABLE rooms ENABLE ROW LEVEL SECURITY", in: name)
        let exporter = MortalExporter(folder, ["DATABASE_URL": url])
        try exporter.startAndWait()
        #expect(eventually { !lines(exporter, "row level security applies").isEmpty })
        let warning = lines(exporter, "row level security applies")
        #expect(warning.count == 1 && warning[0].contains(#""level":"warning""#))
        #expect(warning[0].contains(#""tables":"rooms (SELECT)""#), "\(warning)")
        try send([SignedWebhook.make("room_started", room: "red")], to: exporter)
        #expect(eventually { lines(exporter, #""reason":"room_not_found","room":"red""#).count == 1 })
        // A new connection finds the same, and the warning is not repeated.
        try server.terminateConnections(to: name)
        try send([SignedWebhook.make("room_started", room: "green")], to: exporter)
        #expect(eventually { lines(exporter, #""room":"green""#).count == 1 })
        #expect(lines(exporter, "row level security applies").count == 1)
        try exporter.terminate()
    }

    @Test func `rows that a policy refuses are told as that, wait, and are written when it lets them`() throws {
        try server.query(
            """
            ALTER TABLE participant_activity_metrics ENABLE ROW LEVEL SECURITY;
            CREATE POLICY p ON participant_activity_metrics USING (true) WITH CHECK (user_id <> 13)
            """, in: name)
        let exporter = MortalExporter(folder, ["DATABASE_URL": url, "ORG_SOURCE": "fixed"])
        try exporter.startAndWait()
        let identities = ["1", "13", "2"]
        try send(
            identities.flatMap { identity in
                ["participant_joined", "participant_left"].map {
                    SignedWebhook.make($0, room: "room \(identity)", identity: identity)
                }
            }, to: exporter)
        #expect(eventually { !lines(exporter, "a policy of row level security refuses").isEmpty })
        let line = lines(exporter, "a policy of row level security refuses")[0]
        #expect(line.contains(#""level":"error""#) && line.contains("participant_activity_metrics"), "\(line)")
        #expect(!line.contains("permission denied"))
        #expect((exporter.samples["lkpush_database_rows_waiting"] ?? 0) > 0)
        // The rows still wait after a kill.
        try exporter.kill()
        try exporter.startAndWait()
        try server.query("ALTER TABLE participant_activity_metrics DISABLE ROW LEVEL SECURITY", in: name)
        let written = try eventually {
            try exporter.expectAlive()
            return try server.query(
                "SELECT string_agg(user_id || '=' || session_count, ' ' ORDER BY user_id) FROM participant_activity_metrics",
                in: name) == "1=1 2=1 13=1"
        }
        #expect(written)
        #expect(exporter.samples[#"lkpush_database_rows_total{result="refused"}"#] == 0)
        #expect(exporter.samples["lkpush_rows_set_aside_total"] == 0)
        try exporter.terminate()
    }
}
