import Glibc
import Platform
import SQLite
import TestSupport
import Testing

// The SQL of the article, in both databases.

extension QueryTests {
    /// The rows of a query by their column with the organization, in SQLite and in PostgreSQL.
    private func rows(_ sql: String, key: Int, in postgres: (PostgresServer, String)) throws -> [[String: [String?]]] {
        try [lived.database.rows(sql), postgres.0.rows(sql, in: postgres.1)].map { rows in
            Dictionary(uniqueKeysWithValues: rows.map { ($0[key] ?? "", $0) })
        }
    }

    private func number(_ row: [String?]?, _ column: Int) -> Double? { row?[column].flatMap(Double.init) }

    @Test func `what is invoiced is the truth in both databases`() throws {
        let postgres = try lived.copyToPostgres()
        let minutes = try article.query("Which minutes does an invoice have?", language: "sql")
        let used = try article.query("Who used more than the limit?", language: "sql")
        let users = try article.query("How many users did a month have?", language: "sql")
        for found in try rows(minutes, key: 0, in: postgres) {
            for organization in truth.orgs {
                let count = truth.sum(organization, "egress_ended:", where: [":complete", ":limit_reached"])
                let seconds = truth.sum(organization, "egress_media_seconds:", where: [":complete", ":limit_reached"])
                #expect(number(found[organization], 2) == count)
                #expect(isNear(number(found[organization], 3), seconds / 60))
            }
            #expect(found.count == truth.orgs.count)
        }
        for found in try rows(used, key: 0, in: postgres) {
            for organization in lived.database.organizations where truth.orgs.contains(organization.id) {
                let limit = Double(organization.limit_minutes ?? 0)
                let seconds = truth.sum(
                    organization.id, "egress_media_seconds:", where: [":complete", ":limit_reached"])
                let wanted: Double? = limit > 0 ? seconds / 60 / limit * 100 : nil
                #expect(number(found[organization.id], 3).map { isNear($0, wanted ?? .nan) } ?? (wanted == nil))
            }
            #expect(found.count == 3)
        }
        for found in try rows(users, key: 0, in: postgres) {
            for organization in truth.orgs {
                #expect(number(found[organization], 1) == Double(truth.unique_users[organization] ?? 0))
                #expect(number(found[organization], 2) == truth.sum(organization, "sessions:standard"))
                let hours = truth.sum(organization, "session_seconds:standard") / 3_600
                #expect(isNear(number(found[organization], 3), hours, within: 0.001))
            }
        }
        let growth = "How did the minutes of each month grow?"
        let both = [
            try lived.database.rows(try article.query(growth, language: "sql-sqlite")),
            try postgres.0.rows(try article.query(growth, language: "sql-postgres"), in: postgres.1),
        ]
        for rows in both {
            #expect(rows.count == truth.orgs.count && rows.allSatisfy { $0[0] == "2026-09" })
            for row in rows {
                let organization = try #require(row[1])
                let seconds = truth.sum(organization, "egress_media_seconds:", where: [":complete", ":limit_reached"])
                #expect(isNear(number(row, 2), seconds / 60))
            }
        }
    }
}

extension LivedDay {
    /// Puts the rows of the day into a new database of a real PostgreSQL, with the tables of the application and of lkpush.
    func copyToPostgres() throws -> (PostgresServer, String) {
        let server = try PostgresServer.shared()
        let name = try server.newDatabase()
        try server.execute(
            [
                "CREATE TABLE organizations (id bigint PRIMARY KEY, workos_org_id text UNIQUE, name text)",
                "CREATE TABLE rooms (id uuid PRIMARY KEY, organization_id bigint)",
                "CREATE TABLE org_licenses (organization_id bigint, monthly_recording_minutes integer)",
            ], in: name)
        let program = try #require(Self.program)
        let migrated = ChildProcess.run(
            program, ["migrate"],
            environment: [
                "PATH": "/usr/bin:/bin", "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret",
                "STATE_DIR": folder.file("migrate"), "DATABASE_URL": server.url(database: name),
            ])
        try #require(migrated.status == 0, "\(migrated.output)")
        for table in ["organizations", "org_licenses", "recordings", "participant_activity_metrics"] {
            let columns = try database.rows("SELECT name FROM pragma_table_info('\(table)')").compactMap { $0[0] }
            // A room is a uuid there, and no query needs it.
            let copied = columns.filter { $0 != "room_id" }.joined(separator: ", ")
            let rows = try database.rows("SELECT \(copied) FROM \(table)").map { row in
                "(" + row.map { $0.map { "'" + $0.replacing("'", with: "''") + "'" } ?? "NULL" }.joined(separator: ", ")
                    + ")"
            }
            try server.execute(
                ["INSERT INTO \(table) (\(copied)) VALUES \(rows.joined(separator: ",\n"))"], in: name)
        }
        return (server, name)
    }

    /// The built program, beside the tests.
    private static var program: String? {
        guard let path = realpath("/proc/self/exe", nil) else { return nil }
        defer { free(path) }
        return String(cString: path).split(separator: "/").dropLast().map { "/\($0)" }.joined() + "/lkpush"
    }
}
