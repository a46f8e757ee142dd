import Foundation
import Glibc
import Platform
import TestSupport
import Testing

/// Rows that the database refuses for their data.
@Suite(.serialized) struct RefusedRowTests {
    private let folder = TemporaryFolder()

    /// A person who joins and leaves a room: one row of presence, and one of activity.
    private func visit(_ identity: String) -> [RetryingSender.Webhook] {
        ["participant_joined", "participant_left"].map { event in
            SignedWebhook.make(event, room: "room \(identity)", identity: identity)
        }
    }

    private func send(_ identities: [String], to exporter: MortalExporter) throws {
        let sender = RetryingSender(
            identities.flatMap(visit), to: exporter.webhooks, patience: .untilAnswered(scaledBy: 0.01))
        #expect(sender.waitUntilAllSettled())
        #expect(sender.stop().accepted == identities.count * 2)
    }

    /// The dead letters, as an operator sees them with the query of the manual.
    private func deadLetters() throws -> [(reason: String, row: [String: Any])] {
        let rows = try ApplicationDatabase(file: folder.file("state/journal.db")).rows(
            "SELECT reason, row FROM set_aside ORDER BY row")
        return try rows.map { row in
            let text = try #require(row[1])
            let json = try JSONSerialization.jsonObject(with: Data(text.utf8))
            return (try #require(row[0]), try #require(json as? [String: Any]))
        }
    }

    @Test(arguments: ApplicationDatabase.Kind.allCases)
    func `rows that the database refuses become dead letters where people can read them`(
        _ kind: ApplicationDatabase.Kind
    ) throws {
        let application = try ApplicationDatabase(kind, in: folder)
        // The application restricts who may be in its tables.
        try application.execute([
            """
            CREATE TABLE participant_activity_metrics (user_id bigint CHECK (user_id <> 13), organization_id bigint,
                activity_date date, total_duration_seconds double precision, session_count bigint)
            """,
            """
            CREATE TABLE room_presence (participant_sid text PRIMARY KEY, room_sid text, room_id text,
                organization_id bigint, user_id bigint, identity text CHECK (identity NOT LIKE 'x%'), joined_at text)
            """,
        ])
        let exporter = MortalExporter(folder, ["DATABASE_URL": application.url, "ORG_SOURCE": "fixed"])
        try exporter.startAndWait()
        try send(["1", "13", "2", "xX \"it\"", "3"], to: exporter)
        let results = try eventually {
            try exporter.expectAlive()
            return exporter.samples["lkpush_database_rows_total{result=\"refused\"}"] == 2
                && exporter.samples["lkpush_rows_set_aside_total"] == 2
                && exporter.samples["lkpush_database_rows_total{result=\"written\"}"] == 13
        }
        #expect(results, "\(exporter.samples.filter { $0.key.contains("rows") })")
        // Dead letters stay dead letters: nothing tries them again.
        try exporter.kill()
        try exporter.startAndWait()
        try send(["4"], to: exporter)
        try exporter.terminate()

        let users = try application.rows("SELECT user_id, session_count FROM participant_activity_metrics ORDER BY 1")
        #expect(users.filter { Int64($0[0] ?? "") ?? -1 > 0 } == [["1", "1"], ["2", "1"], ["3", "1"], ["4", "1"]])
        let rows = try deadLetters()
        try #require(rows.count == 2, "\(rows)")
        let code = kind == .postgres ? "(23514)" : "(sqlite 275)"
        #expect(rows.allSatisfy { $0.reason.contains(code) && !$0.reason.contains("xX") }, "\(rows)")
        #expect(rows[0].row["table"] as? String == "participant_activity_metrics")
        #expect(rows[0].row["user_id"] as? Int == 13)
        #expect(rows[0].row["session_count"] as? Int == 1)
        #expect(rows[0].row["workos_org_id"] as? String == "default")
        #expect(rows[1].row["table"] as? String == "room_presence")
        #expect(rows[1].row["identity"] as? String == "xX \"it\"")
        // There is one log line for each table and code.
        let lines = exporter.output.split(separator: "\n").filter { $0.contains("the database refused rows") }
        #expect(lines.count == 2, "\(lines)")
        #expect(lines.allSatisfy { $0.contains("\"level\":\"error\"") && $0.contains("\"code\":\"") })
        #expect(!lines.contains { $0.contains("xX") }, "values are no business of the log")
        #expect(lines.contains { $0.contains("\"table\":\"room_presence\"") })
    }
}
