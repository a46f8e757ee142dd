import Glibc
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing
import Wire

/// `lkpush check` with receivers, as an operator uses it.
@Suite struct CheckTests {
    private let folder = TemporaryFolder()

    /// Runs `lkpush check`. Two blanks stand between the parts of a finding.
    private func check(_ changes: [String: String]) -> (status: Int32, lines: [String]) {
        let checked = CheckOutput(in: folder, changes)
        let marks = ["ok ", "warning ", "error "]
        let others = checked.output.split(separator: "\n").filter { line in !marks.contains { line.hasPrefix($0) } }
        return (checked.status, others.map(String.init) + checked.findings.map(\.description))
    }

    @Test func `a receiver that answers is good, and each finding has a line`() throws {
        let receiver = try ScriptedReceiver(dialect: .answering204)
        let (status, lines) = check(["GRAFANA_PROM_REMOTE_WRITE_URL": receiver.url])
        #expect(status == 0)
        #expect(
            lines.filter { $0.contains("  receiver default  ") } == [
                "ok  receiver default  \(receiver.url): accepted (status 204)",
                "ok  receiver default  it reads remote write 1.0 and not 2.0, which it answered with status 204 and "
                    + "without the headers of 2.0: lkpush falls back to 1.0 by itself",
            ], "\(lines)")
        #expect(receiver.requests.count == 2)
    }

    @Test func `a receiver that refuses is status 1, with what to do, and cannot steer the terminal`() throws {
        let refusal = ScriptedReceiver.Answer(
            401, body: "authentication error: invalid scope requested\n\u{1B}[31mred\u{9B}2J")
        let receiver = try ScriptedReceiver(otherwise: refusal)
        let credentials = ["GRAFANA_PROM_USERNAME": "7", "GRAFANA_API_KEY": "glc_hidden"]
        let (status, lines) = check(credentials.merging(["GRAFANA_PROM_REMOTE_WRITE_URL": receiver.url]) { $1 })
        #expect(status == 1)
        let said = lines.filter { $0.contains("  receiver default  ") }
        #expect(said.count == 1, "\(lines)")
        #expect(
            said.first?.hasPrefix(
                "error  receiver default  \(receiver.url): the token may not write metrics. Give its access policy the scope "
                    + "metrics:write, at grafana.com under Access Policies. It answered with status 401: ") == true)
        #expect(!lines.joined().contains("\u{1B}") && !lines.joined().contains("\u{9B}"))
        #expect(!lines.joined().contains("glc_hidden"))
    }

    @Test func `a clock that is far off is status 1, although requests are accepted`() throws {
        let receiver = try ScriptedReceiver(
            otherwise: .init(204, headers: ["Date": "Sun, 06 Nov 1994 08:49:37 GMT"]))
        let (status, lines) = check(["GRAFANA_PROM_REMOTE_WRITE_URL": receiver.url])
        #expect(status == 1)
        #expect(lines.contains { $0.hasPrefix("error  receiver default  the clock of this machine is ") }, "\(lines)")
    }

    @Test func `globs without a metric are told by check and in the log, and do no harm`() throws {
        let receiver = try ScriptedReceiver(dialect: .answering204)
        let changes = [
            "METRICS_EXCLUDE": "lkpush_htp_*, process_*,lk_room_duration_seconds_bucket",
            "GRAFANA_PROM_REMOTE_WRITE_URL": receiver.url,
        ]
        let (status, lines) = check(changes)
        #expect(status == 0)
        let names = "lkpush_htp_*, lk_room_duration_seconds_bucket"
        #expect(lines.contains { $0.hasPrefix("warning  setting  METRICS_EXCLUDE: \(names): no metric") }, "\(lines)")
        #expect(!check(["METRICS_EXCLUDE": "process_*"]).lines.contains { $0.hasPrefix("warning  setting  ") })
        let exporter = try RunningExporter(folder, changes)
        _ = try exporter.ready()
        var told: [[String: Any]] = []
        // The line may come after the answer of the listener.
        _ = eventually {
            told = exporter.lines.filter { ($0["msg"] as? String)?.hasPrefix("globs match no metric") == true }
            return !told.isEmpty
        }
        #expect(told.compactMap { $0["setting"] as? String } == ["METRICS_EXCLUDE"])
        #expect(told.compactMap { $0["globs"] as? String } == ["lkpush_htp_*,lk_room_duration_seconds_bucket"])
        #expect(exporter.process.end(with: SIGTERM) == 0)
        let wrong = check(["METRICS_EXCLUDE": "lk_[ab,{x}"])
        #expect(wrong.status == 78 && wrong.lines.count == 3, "\(wrong.lines)")
    }

    // MARK: Several destinations

    @Test func `each destination is asked, and one that refuses is status 1 with its own variables`() throws {
        let right = try ScriptedReceiver(dialect: .answering204)
        let refusing = try ScriptedReceiver(otherwise: .init(401, body: "no credentials provided"))
        let (status, lines) = check([
            "GRAFANA_PROM_REMOTE_WRITE_URL": right.url, "GRAFANA_PROM_USERNAME": "7", "GRAFANA_API_KEY": "hunter2",
            "REMOTE_WRITE_DESTINATIONS": "eu", "REMOTE_WRITE_DESTINATION_EU_URL": refusing.url,
        ])
        #expect(status == 1)
        #expect(lines.contains("ok  receiver default  \(right.url): accepted (status 204)"), "\(lines)")
        #expect(
            lines.contains(
                "error  receiver eu  \(refusing.url): no credentials arrived. Set "
                    + "REMOTE_WRITE_DESTINATION_EU_USERNAME to the instance id and REMOTE_WRITE_DESTINATION_EU_PASSWORD to "
                    + "a token with the scope metrics:write. It answered with status 401: no credentials provided"),
            "\(lines)")
        // The credentials of one receiver go to no other.
        #expect(right.requests.allSatisfy { $0.headers["authorization"] != nil })
        #expect(!refusing.requests.isEmpty && refusing.requests.allSatisfy { $0.headers["authorization"] == nil })
        #expect(lines.contains { $0.hasPrefix("REMOTE_WRITE_DESTINATION_EU_MESSAGE ") && $0.hasSuffix("  auto") })
        #expect(!lines.joined().contains("<NAME>") && !lines.joined().contains("hunter2"))
    }

    @Test func `the wait of each destination is told, and what all of them may take`() throws {
        let receiver = try ScriptedReceiver(dialect: .answering204)
        let two = [
            "GRAFANA_PROM_REMOTE_WRITE_URL": receiver.url, "REMOTE_WRITE_DESTINATIONS": "eu",
            "REMOTE_WRITE_DESTINATION_EU_URL": receiver.url + "?tenant=2",
            // The least spool: the disk of the test holds it in any case.
            "SPOOL_MAX_BYTES": "1MiB",
        ]
        let lines = check(two).lines
        for name in ["default", "eu"] {
            #expect(
                lines.contains(
                    "ok  backlog \(name)  of 10,000 series (assumed) every 15s, STATE_DIR holds about 4 min 15 s "
                        + "(SPOOL_MAX_BYTES) while the receiver does not answer; if it cannot be written, memory holds about "
                        + "1 h 44 min of it, and nothing over a restart (REMOTE_WRITE_QUEUE_BYTES)"), "\(lines)")
        }
        #expect(
            lines.contains(
                "ok  backlog  all 2 take at most 64MiB of memory (REMOTE_WRITE_QUEUE_BYTES) and 2MiB of disk "
                    + "(SPOOL_MAX_BYTES)"), "\(lines)")
        #expect(lines.contains { $0.contains("  disk  ") && $0.contains(" are free, and spools never take the last ") })
        let none = check(two.merging(["SPOOL_MAX_BYTES": "0"]) { $1 }).lines
        #expect(
            none.contains(
                "ok  backlog eu  of 10,000 series (assumed) every 15s, memory holds about 1 h 44 min of it, and nothing over a "
                    + "restart (REMOTE_WRITE_QUEUE_BYTES), while the receiver does not answer"), "\(none)")
        #expect(!none.contains { $0.contains("  disk  ") })
    }

    @Test func `series that were pushed are counted, also while they are pushed`() throws {
        let receiver = try ScriptedReceiver(dialect: .answering204)
        let changes = [
            "GRAFANA_PROM_REMOTE_WRITE_URL": receiver.url, "STALE_ON_STOP": "false", "PUSH_INTERVAL": "1s",
        ]
        func told() -> String? {
            check(changes).lines.first { $0.hasPrefix("ok  backlog default  of ") && $0.contains(" (as pushed last) ") }
        }
        #expect(told() == nil)
        let exporter = try RunningExporter(folder, changes)
        _ = try exporter.ready()
        try #require(eventually { !receiver.requests.isEmpty })
        // The journal is in use: nothing fails, and nothing is disturbed.
        #expect(check(changes).status == 0)
        #expect(exporter.process.end(with: SIGTERM) == 0)
        #expect(told() != nil)
        #expect(!exporter.output.contains("damaged"), "\(exporter.output)")
    }

    @Test func `spools that exist are told, also of a destination that is gone`() throws {
        let receiver = try ScriptedReceiver(dialect: .answering204)
        let state = folder.file("state")
        try FileStore.makeDirectory(state)
        try makeSpool("default", in: state, samples: 1_234).close()
        // What a killed process leaves has its last commits in the log.
        let killed = try makeSpool("old", in: folder.file("killed"), samples: 7)
        for file in ["spool-old.db", "spool-old.db-wal"] {
            try FileStore.replace("\(state)/\(file)", with: try FileStore.read(folder.file("killed/\(file)")))
        }
        killed.close()
        try FileStore.replace(folder.file("state/spool-other.db"), with: Array("no database".utf8))
        let before = try Folder.names(state).filter { $0.hasPrefix("spool-") }
        #expect(before == ["spool-default.db", "spool-old.db", "spool-old.db-wal", "spool-other.db"])
        let (status, lines) = check(["GRAFANA_PROM_REMOTE_WRITE_URL": receiver.url])
        #expect(status == 0)
        func size(_ name: String) -> String {
            UnitText.rough(ByteCount(SpoolFile.size_bytes(directory: state, destination: name)))
        }
        let newest = "wait on disk, the newest of 2026-09-21T14:13:20.000Z"
        let gone = "any more, so they are dropped when they are older than SPOOL_MAX_AGE (2h)"
        #expect(
            lines.filter { $0.hasPrefix("ok  spool ") } == [
                "ok  spool default  1,234 samples (\(size("default"))) \(newest)",
                "ok  spool old  7 samples (\(size("old"))) \(newest); there is no destination old \(gone)",
                "ok  spool other  11 B on disk cannot be read; the next start keeps what it can read, and counts the rest; "
                    + "there is no destination other \(gone)",
            ], "\(lines)")
        // Looking leaves nothing behind.
        #expect(try Folder.names(state).filter { $0.hasPrefix("spool-") } == before)
        let exporter = try RunningExporter(folder, [:])
        _ = try exporter.ready()
        let held = check([:]).lines.filter { $0.hasPrefix("ok  spool default  ") }
        #expect(held.allSatisfy { $0.contains(" on disk; process \(exporter.process.pid) ") }, "\(held)")
        #expect(exporter.process.end(with: SIGTERM) == 0)
    }

    @Test func `what a killed process left for a receiver that is down is told`() throws {
        // Nobody listens on this port, that of tcpmux.
        let changes = ["GRAFANA_PROM_REMOTE_WRITE_URL": "http://127.0.0.1:1/write", "PUSH_INTERVAL": "100ms"]
        let exporter = try RunningExporter(folder, changes)
        let port = try exporter.ready().metrics
        let samples = "lkpush_remote_write_spool_samples{destination=\"default\"}"
        try #require(eventually { RunningExporter.metrics(port)[samples] ?? 0 > 0 }, "\(exporter.output.suffix(2_000))")
        #expect(exporter.process.end(with: SIGKILL) == 128 + SIGKILL)
        let (status, lines) = check(changes)
        #expect(status == 1)
        let told = try #require(lines.first { $0.hasPrefix("ok  spool default  ") }, "\(lines)")
        #expect(told.contains(" samples (") && told.contains(") wait on disk, the newest of "), "\(told)")
        #expect(!told.hasPrefix("ok  spool default  0 "))
    }

    /// A spool with one block.
    private func makeSpool(_ destination: String, in directory: String, samples count: Int) throws -> SpoolFile {
        let now = Timestamp(milliseconds: 1_790_000_000_000)
        let spool = try SpoolFile(
            path: SpoolFile.path(directory: directory, destination: destination), now: now)
        var commit = SpoolCommit()
        let samples = PackedBlock(base: now, count: count, oldest: now, newest: now, body: [0])
        commit.blocks = [SpooledBlock(number: 1, samples: samples)]
        try spool.commit(commit)
        return spool
    }
}
