import Foundation
import Platform
import TestSupport
import Testing

/// The statements and the tables of the article *PostgreSQL*, in a real one.
@Suite struct PostgresArticleTests {
    private static let article = "Sources/lkpush/Documentation.docc/PostgreSQL.md"

    private let folder = TemporaryFolder()
    private let server: PostgresServer
    private let name: String
    private let role: String

    /// The blocks of SQL in their order. Roles belong to the whole server, so this one gets a name of its own.
    private let blocks: [String]

    init() throws {
        server = try PostgresServer.shared()
        name = try server.newDatabase()
        let role = "lkpush_of_\(name)"
        self.role = role
        let text = try String(contentsOfFile: "\(Repository.root)/\(Self.article)", encoding: .utf8)
        blocks = text.components(separatedBy: "```sql\n").dropFirst().map { part in
            let block = part.components(separatedBy: "```")[0].trimmingCharacters(in: .whitespacesAndNewlines)
            return block.replacing("TO lkpush;", with: "TO \(role);")
        }
        try #require(blocks.count == 4)
        try server.query("CREATE ROLE \(role) LOGIN")
        let migrated = run("migrate", as: PostgresServer.role)
        try #require(migrated.status == 0, "\(migrated.output)")
    }

    private func run(_ command: String, as user: String) -> (status: Int32, output: String) {
        let own = ["DATABASE_URL": server.url(database: name, user: user)]
        return ChildProcess.run(
            BuiltProgram.executable, [command], environment: BuiltProgram.environment(folder).merging(own) { $1 })
    }

    private func check(_ changes: [String: String] = [:], _ words: [String] = []) -> CheckOutput {
        let own = ["DATABASE_URL": server.url(database: name, user: role)]
        return CheckOutput(in: folder, own.merging(changes) { $1 }, words)
    }

    @Test func `the rights of the article suffice for all that lkpush does, and the lookup finds what it says`() throws
    {
        #expect(check().status == 1, "the role may nothing yet")
        try server.query(blocks[0], in: name)
        let granted = check()
        #expect(granted.status == 0 && granted.findings.allSatisfy { $0.mark == "ok" }, "\(granted)")
        #expect(run("migrate", as: role).output == "The schema is up to date.\n")

        let metadata = ["ORG_SOURCE": "metadata", "ORG_METADATA_KEY": "org_id"]
        #expect(check(metadata).about("database rights").first?.text.contains("ON organizations") == true)
        try server.query(blocks[1], in: name)
        let inserting = check(metadata)
        #expect(inserting.status == 0 && inserting.findings.allSatisfy { $0.mark == "ok" }, "\(inserting)")

        // The application's own table, as the article makes it.
        try server.query(blocks[2], in: name)
        try server.query(
            """
            INSERT INTO organizations (id, workos_org_id, name) VALUES (7, 'org_7', 'Seven');
            INSERT INTO org_licenses VALUES (7, 600); INSERT INTO calls VALUES ('standup', 7);
            """, in: name)
        let lookup = ["ORG_LOOKUP_SQL": blocks[3], "ORG_SOURCE": "database"]
        let looked = check(lookup, ["--room", "standup"])
        #expect(looked.status == 0, "\(looked)")
        #expect(looked.about("room standup").map(\.text) == ["org_7, called Seven: found by ORG_LOOKUP_SQL"])

        let exporter = MortalExporter(
            folder, lookup.merging(["DATABASE_URL": server.url(database: name, user: role)]) { $1 })
        try exporter.startAndWait()
        let joined = SignedWebhook.make("participant_joined", room: "standup", identity: "5")
        let left = SignedWebhook.make("participant_left", room: "standup", identity: "6")
        let sender = RetryingSender([joined, left], to: exporter.webhooks, patience: .untilAnswered(scaledBy: 0.01))
        #expect(sender.waitUntilAllSettled())
        _ = sender.stop()
        let isWritten = try eventually {
            try exporter.expectAlive()
            return try rows("SELECT organization_id, user_id FROM room_presence") == [["7", "5"]]
                && rows("SELECT organization_id, user_id FROM participant_activity_metrics") == [["7", "6"]]
        }
        #expect(isWritten, "\(exporter.output.suffix(2_000))")
        let limits = exporter.samples.filter { $0.key.hasPrefix("lk_org_recording_limit_minutes{") }
        #expect(limits.count == 1 && limits.first?.value == 600 && limits.first?.key.contains("org_7") == true)
        try exporter.terminate()
        #expect(!exporter.output.contains("permission denied"))
    }

    private func rows(_ sql: String) throws -> [[String?]] { try server.rows(sql, in: name) }

    @Test func `the article lists every column that a new database gets`() throws {
        let columns = try rows(
            """
            SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns
            WHERE table_schema = 'public' ORDER BY table_name, ordinal_position
            """)
        #expect(columns.count > 40)
        let lines = columns.map { column in
            let texts = column.map { $0 ?? "" }
            return "| `\(texts[0])` | `\(texts[1])` | \(texts[2]) | \(texts[3] == "YES" ? "yes" : "") |\n"
        }
        let expected = "| Table | Column | Type | May be null |\n|---|---|---|---|\n" + lines.joined()
        let found = try GeneratedPart("columns", of: Self.article).text(expected: expected)
        #expect(found == expected, "UPDATE_GOLDEN=1 rewrites the table")
    }
}
