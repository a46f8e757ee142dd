import Foundation
import TestSupport
import Testing

/// The output and the queries of the article *Usage*, from both databases. `UPDATE_GOLDEN=1` rewrites the output.
@Suite struct UsageArticleTests {
    private static let article = "Sources/lkpush/Documentation.docc/Usage.md"

    /// Two organizations with usage and one without, in October 2025.
    static let rows =
        [
            """
            INSERT INTO organizations (id, workos_org_id, name) VALUES
                (1, 'org_acme', 'Acme Corp'), (2, 'org_beta', 'Beta, Ltd'), (3, 'org_cargo', 'Cargo SE')
            """,
            "INSERT INTO org_licenses VALUES (1, 1000), (3, 60)",
            """
            INSERT INTO lkpush_usage_daily (organization_id, usage_date, usage, seconds, count, billed_minutes) VALUES
                (1, '2025-10-01', 'connection:standard', 1201334.25, 701, 20344),
                (1, '2025-10-02', 'connection:standard', 998000.007, 522, 17001),
                (1, '2025-10-31', 'connection:standard', 3600, 0, 0), (1, '2025-10-31', 'connection:agent', 61.5, 1, 2),
                (1, '2025-10-31', 'track:camera', 700123, 810, 0), (1, '2025-10-31', 'track:microphone', 2000500, 1300, 0),
                (1, '2025-10-12', 'egress:room_composite', 48000.5, 21, 0), (1, '2025-10-31', 'agent:support', 60.25, 1, 0),
                (1, '2025-11-01', 'connection:standard', 1, 5, 7), (2, '2025-09-30', 'connection:standard', 9, 1, 1),
                (2, '2025-10-07', 'connection:standard', 90, 1, 2), (2, '2025-10-08', 'connection:standard', -30.001, 0, 0),
                (2, '2025-10-07', 'connection:sip', 1800, 4, 32), (2, '2025-10-07', 'sip:inbound', 1500, 3, 0),
                (2, '2025-10-07', 'sip:outbound', 300, 1, 0), (2, '2025-10-08', 'ingress:rtmp', 7200, 2, 0)
            """,
            """
            INSERT INTO participant_activity_metrics VALUES (5, 1, '2025-09-30', 1, 1), (5, 1, '2025-10-01', 1, 1),
                (5, 1, '2025-10-02', 1, 1), (6, 1, '2025-10-31', 1, 1), (7, 1, '2025-11-01', 1, 1), (5, 2, '2025-10-07', 1, 1)
            """,
        ]
        + [
            ("1", 1, "completed", "2025-10-01T00:00:00.000Z", "3600.5", 734_003_200),
            ("2", 1, "completed", "2025-10-31T23:59:59.999Z", "44400", 9_000_000_000),
            ("3", 1, "failed", "2025-10-05T00:00:00.000Z", "60", 5),
            ("4", 1, "completed", "2025-11-01T00:00:00.000Z", "60", 5),
            ("5", 3, "completed", "2025-09-30T23:59:59.999Z", "4000", 5),
        ].map { egress, organization, status, endedAt, duration, size in
            """
            INSERT INTO recordings VALUES ('EG_\(egress)', 'room', \(organization), 'room_composite', '\(status)', NULL,
                '\(endedAt)', \(duration), \(size), '', '', '\(endedAt)')
            """
        }

    private let folder = TemporaryFolder()

    /// A database with these rows.
    private func filled(_ kind: ApplicationDatabase.Kind) throws -> ApplicationDatabase {
        let database = try ApplicationDatabase(kind, in: folder)
        let migrated = ChildProcess.run(
            BuiltProgram.executable, ["migrate"],
            environment: BuiltProgram.environment(folder).merging(["DATABASE_URL": database.url]) { $1 })
        try #require(migrated.status == 0, "\(migrated.output)")
        try database.execute(Self.rows)
        return database
    }

    /// The output of a report. It has no other variable than the URL.
    private func report(_ database: ApplicationDatabase, _ words: [String]) throws -> String {
        let (status, output) = ChildProcess.run(
            BuiltProgram.executable, ["report", "--month", "2025-10"] + words,
            environment: ["DATABASE_URL": database.url])
        try #require(status == 0, "\(output)")
        return output
    }

    private func expectShown(_ name: String, _ text: String) throws {
        let expected = "```\n\(text)```\n"
        #expect(
            try GeneratedPart(name, of: Self.article).text(expected: expected) == expected,
            "UPDATE_GOLDEN=1 rewrites it")
    }

    @Test(arguments: ApplicationDatabase.Kind.allCases)
    func `the article shows what the program prints`(_ kind: ApplicationDatabase.Kind) throws {
        let database = try filled(kind)
        try expectShown("table", report(database, []))
        try expectShown("organization", report(database, ["--org", "org_beta"]))
        let csv = try report(database, ["--format=csv", "--org", "org_beta", "--org", "org_acme"])
        #expect(csv == (try report(database, ["--format=csv"])))
        #expect(csv.utf8.count { $0 == 0x0D } == csv.utf8.count { $0 == 0x0A })
        try expectShown("csv", csv.replacing("\r\n", with: "\n"))
        let json = try report(database, ["--format", "json"])
        let made = try #require(json.firstMatch(of: #/"made_at":"[-0-9T:.]+Z"/#))
        try expectShown("json", json.replacing(made.output, with: #""made_at":"2025-11-03T08:00:00.000Z""#))
    }

    private var queries: [String] {
        get throws {
            let text = try String(contentsOfFile: "\(Repository.root)/\(Self.article)", encoding: .utf8)
            return text.components(separatedBy: "```sql\n").dropFirst().map { $0.components(separatedBy: "```")[0] }
        }
    }

    @Test(arguments: ApplicationDatabase.Kind.allCases)
    func `the queries of the article find what the report says`(_ kind: ApplicationDatabase.Kind) throws {
        let database = try filled(kind)
        let queries = try queries
        try #require(queries.count == 3)
        let minutes = try database.rows(queries[0])
        #expect(minutes.map { $0[0] } == ["org_acme", "org_beta"])
        #expect(minutes.map { $0[2] } == ["1223", "1"] && minutes.map { $0[4] } == ["37345", "2"])
        #expect(minutes.map { Double($0[3] ?? "").map { ($0 * 60_000).rounded() } } == [2_202_934_257, 59_999])
        let lines = try report(database, ["--format=csv"]).split(separator: "\r\n").dropFirst().compactMap { line in
            // The only name with a comma stands in quotation marks.
            let cells = line.replacing("\"Beta, Ltd\"", with: "Beta").split(
                separator: ",", omittingEmptySubsequences: false)
            return cells[3].hasPrefix("recording:") || cells[3].hasPrefix("people:") ? nil : cells.map(String.init)
        }
        let found = try database.rows(queries[1])
        #expect(found.map { $0[0] } == lines.map { $0[1] } && found.map { $0[1] } == lines.map { $0[3] })
        #expect(found.map { $0[3] } == lines.map { $0[5] } && lines.count == 11)
        for (row, line) in zip(found, lines) {
            #expect(
                Double(row[2] ?? "").map { ($0 * 1_000).rounded() } == Double(line[4]).map { ($0 * 1_000).rounded() })
        }
        #expect(try database.rows(queries[2]) == [])
        try database.execute(["UPDATE org_licenses SET monthly_recording_minutes = 700 WHERE organization_id = 1"])
        let beyond = try database.rows(queries[2])
        #expect(beyond.count == 1 && beyond[0][0] == "org_acme")
        #expect(beyond[0][2].flatMap(Double.init).map { ($0 * 60_000).rounded() } == 6_000_500)
    }
}
