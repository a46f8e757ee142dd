import Foundation
import Platform
import TestSupport
import Testing

/// `lkpush report` as it is run: beside a server, without one, and where it cannot work.
@Suite struct ReportCommandTests {
    private let folder = TemporaryFolder()

    private func report(
        _ words: [String] = [], _ environment: [String: String], _ executable: String = BuiltProgram.executable
    ) -> (status: Int32, output: String) {
        ChildProcess.run(executable, ["report"] + words, environment: environment)
    }

    /// The numbers of the one organization in a month of JSON: seconds of `addUsage`, users, and how often it was added.
    private func figures(_ words: [String] = [], _ environment: [String: String]) throws -> [Double]? {
        let (status, output) = report(["--format", "json"] + words, environment)
        try #require(status == 0, "\(output)")
        let object = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
        guard let one = (object["organizations"] as? [[String: Any]])?.first else { return nil }
        // Nobody shares a screen here, so these rows are the test's own.
        let added = (one["usages"] as? [String: [String: Any]])?["track:screen_share"]
        return [added?["seconds"], one["unique_people"], added?["count"]].map {
            ($0 as? NSNumber)?.doubleValue ?? 0
        }
    }

    private func addUsage(_ database: ApplicationDatabase, day: String, count: Int = 1) throws {
        try database.execute([
            """
            INSERT INTO lkpush_usage_daily (organization_id, usage_date, usage, seconds, count, billed_minutes)
            VALUES (1, '\(day)', 'track:screen_share', 90.5, \(count), 2) ON CONFLICT (usage_date, organization_id, usage)
            DO UPDATE SET seconds = lkpush_usage_daily.seconds + 90.5, count = lkpush_usage_daily.count + 1
            """
        ])
    }

    @Test func `it runs beside a server, sees what was written last, and changes nothing`() throws {
        let exporter = MortalExporter(folder, ["ORG_SOURCE": "fixed"])
        try exporter.startAndWait()
        let left = SignedWebhook.make("participant_left", room: "standup", identity: "6")
        let sender = RetryingSender([left], to: exporter.webhooks, patience: .untilAnswered(scaledBy: 0.01))
        #expect(sender.waitUntilAllSettled())
        _ = sender.stop()
        let state = folder.file("state")
        // Nothing but the place of the state: neither keys nor a URL.
        let environment = ["STATE_DIR": state]
        let file = ApplicationDatabase(file: state + "/office.db")
        #expect(try eventually { try file.rows("SELECT 1 FROM participant_activity_metrics").count == 1 })
        #expect(try file.rows("PRAGMA journal_mode") == [["wal"]])
        let day = try #require(try file.rows("SELECT activity_date FROM participant_activity_metrics")[0][0])
        let month = ["--month", String(day.prefix(7))]
        #expect(try figures(month, environment) == [0, 1, 0])
        for round in 1...3 {
            try addUsage(file, day: day)
            #expect(try figures(month, environment) == [90.5 * Double(round), 1, Double(round)])
        }
        try exporter.expectAlive()
        // A killed server leaves its log, and a stopped one does not.
        try exporter.kill()
        let killed = try FolderPicture(of: state)
        #expect(try figures(month, environment) == [271.5, 1, 3])
        #expect(try FolderPicture(of: state) == killed)
        try exporter.startAndWait()
        #expect(try figures(month, environment) == [271.5, 1, 3])
        try exporter.terminate()
        let stopped = try FolderPicture(of: state)
        #expect(try figures(month, environment) == [271.5, 1, 3])
        #expect(try FolderPicture(of: state) == stopped)
    }

    @Test func `a file with a rollback journal is read too, and left as it is`() throws {
        let database = try ApplicationDatabase(.sqlite, in: folder)
        let migrated = ChildProcess.run(
            BuiltProgram.executable, ["migrate"],
            environment: BuiltProgram.environment(folder).merging(["DATABASE_URL": database.url]) { $1 })
        #expect(migrated.status == 0)
        #expect(try file(database, "PRAGMA journal_mode = DELETE") == "delete")
        try database.execute(["INSERT INTO organizations (id, workos_org_id, name) VALUES (1, 'a', 'A')"])
        try addUsage(database, day: "2025-10-01")
        let before = try FolderPicture(of: folder.path)
        #expect(try figures(["--month=2025-10"], ["DATABASE_URL": database.url]) == [90.5, 0, 1])
        #expect(try FolderPicture(of: folder.path) == before)
    }

    private func file(_ database: ApplicationDatabase, _ pragma: String) throws -> String? {
        let script = "import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute(sys.argv[2]).fetchone()[0])"
        let path = String(database.url.dropFirst("sqlite:".count))
        return ChildProcess.run("/usr/bin/python3", ["-c", script, path, pragma]).output
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test(.enabled(if: WrongClock.isInstalled, "deploy/packages test: faketime"))
    func `without a month it is this one in UTC, and last is the one before`() throws {
        let database = try ApplicationDatabase(.sqlite, in: folder)
        let ahead = 1_801_440_000 - Int(Date().timeIntervalSince1970)
        let environment = WrongClock.environment(ahead: ahead).merging([
            "DATABASE_URL": database.url, "TZ": "Pacific/Pago_Pago", "PATH": "/usr/bin:/bin", "LIVEKIT_API_KEY": "k",
            "LIVEKIT_API_SECRET": "s", "STATE_DIR": folder.file("state"),
        ]) { $1 }
        #expect(ChildProcess.run(BuiltProgram.executable, ["migrate"], environment: environment).status == 0)
        // It is 2027-02-01T00:00:00Z, and still January in Samoa.
        let current = report([], environment)
        #expect(current.status == 0 && current.output.hasPrefix("Usage in February 2027 (UTC)\n\nNothing was used.\n"))
        #expect(current.output.contains("February 2027 is not over: it ends in 27 d 23 h (UTC)"), "\(current.output)")
        #expect(current.output.contains("The table lkpush_usage_daily is empty"))
        let last = report(["--month", "last", "--format", "csv"], environment)
        #expect(last.output.contains("bytes\r\nlkpush report: note: Nothing was used in January 2027.\n"))
        #expect(last.status == 0 && !last.output.contains("not over"))
    }

    @Test func `what keeps it from working is said with what to do`() throws {
        func expect(_ url: String, _ status: Int32, _ says: String, _ line: Int = #line) {
            let (found, output) = report([], ["DATABASE_URL": url])
            #expect(
                found == status && output.contains(says) && output.split(separator: "\n").count == 1,
                "\(line): \(output)")
            #expect(!output.contains("secret"))
        }
        let nowhere = folder.file("none/office.db")
        expect("sqlite:\(nowhere)", 1, "is not there. Set STATE_DIR or DATABASE_URL to what the server has")
        expect("postgres://user:secret@127.0.0.1:1/office", 1, "Connection refused")
        expect("mysql://user:secret@host/office", 78, "expected sqlite:PATH or postgres://")
        #expect(report([], [:]).output.contains("sqlite:./lkpush-state/office.db is not there"))
        #expect(report(["--month", "11"], [:]).status == 64)
        let empty = folder.file("empty.db")
        try FileStore.replace(empty, with: [])
        expect("sqlite:\(empty)", 1, "lacks lkpush_usage_daily, organizations")
        #expect(try Folder.names(folder.path) == ["empty.db"])
        try FileStore.replace(empty, with: Array(repeating: 0x41, count: 4_096))
        expect("sqlite:\(empty)", 1, "file is not a database")

        let server = try PostgresServer.shared()
        let name = try server.newDatabase()
        expect(server.url(database: name), 1, "run lkpush migrate")
        let whole = ["DATABASE_URL": server.url(database: name), "LIVEKIT_API_KEY": "k", "LIVEKIT_API_SECRET": "s"]
            .merging(["STATE_DIR": folder.file("state")]) { $1 }
        #expect(ChildProcess.run(BuiltProgram.executable, ["migrate"], environment: whole).status == 0)
        let role = "reader_of_\(name)"
        try server.query("CREATE ROLE \(role) LOGIN")
        let url = server.url(database: name, user: role)
        expect(
            url, 1, "run as their owner: GRANT SELECT ON lkpush_usage_daily TO \(role); GRANT SELECT ON organizations")
        let output = report([], ["DATABASE_URL": url]).output
        for grant in output.split(separator: ": ").last?.split(separator: ";") ?? [] where grant.contains("GRANT") {
            try server.query(String(grant), in: name)
        }
        #expect(report([], ["DATABASE_URL": url]).status == 0)
        try server.query("DROP TABLE lkpush_usage_daily", in: name)
        expect(url, 1, "lacks lkpush_usage_daily: run lkpush migrate")
    }

    @Test func `a reader that is gone, or a full disk, is no success`() throws {
        let database = try ApplicationDatabase(.sqlite, in: folder)
        let environment = BuiltProgram.environment(folder).merging(["DATABASE_URL": database.url]) { $1 }
        #expect(ChildProcess.run(BuiltProgram.executable, ["migrate"], environment: environment).status == 0)
        let full = try ChildProcess(BuiltProgram.executable, ["report"], environment: environment, output: "/dev/full")
        #expect(full.wait() == 1)
    }
}
