import Glibc
import Platform
import TestSupport
import Testing

/// `lkpush check` with receivers, as an operator uses it.
@Suite struct CheckTests {
    private let folder = TemporaryFolder()

    private func check(_ changes: [String: String]) -> (status: Int32, lines: [String]) {
        let environment = RunningExporter.environment(folder).merging(changes) { $1 }
        let (status, output) = ChildProcess.run(RunningExporter.executable, ["check"], environment: environment)
        return (status, output.split(separator: "\n").map(String.init))
    }

    @Test func `a receiver that answers is good, and each finding has a line`() throws {
        let receiver = try ScriptedReceiver(otherwise: .init(204))
        let (status, lines) = check(["GRAFANA_PROM_REMOTE_WRITE_URL": receiver.url])
        #expect(status == 0)
        #expect(
            lines.filter { $0.hasPrefix("receiver: ") } == [
                "receiver: ok, \(receiver.url): accepted (status 204)",
                "receiver: ok, it reads remote write 1.0 and not 2.0, which it answered with status 204 and without "
                    + "the headers of 2.0: lkpush falls back to 1.0 by itself",
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
        let said = lines.filter { $0.hasPrefix("receiver: ") }
        #expect(said.count == 1, "\(lines)")
        #expect(
            said.first?.hasPrefix(
                "receiver: FAILED, \(receiver.url): the token may not write metrics. Give its access policy the scope "
                    + "metrics:write, at grafana.com under Access Policies. It answered with status 401: ") == true)
        #expect(!lines.joined().contains("\u{1B}") && !lines.joined().contains("\u{9B}"))
        #expect(!lines.joined().contains("glc_hidden"))
    }

    @Test func `a clock that is far off is status 1, although requests are accepted`() throws {
        let receiver = try ScriptedReceiver(
            otherwise: .init(204, headers: ["Date": "Sun, 06 Nov 1994 08:49:37 GMT"]))
        let (status, lines) = check(["GRAFANA_PROM_REMOTE_WRITE_URL": receiver.url])
        #expect(status == 1)
        #expect(lines.contains { $0.hasPrefix("receiver: FAILED, the clock of this machine is ") }, "\(lines)")
    }

    @Test func `globs without a metric are told by check and in the log, and do no harm`() throws {
        let receiver = try ScriptedReceiver(otherwise: .init(204))
        let changes = [
            "METRICS_EXCLUDE": "lkpush_htp_*, process_*,lk_room_duration_seconds_bucket",
            "GRAFANA_PROM_REMOTE_WRITE_URL": receiver.url,
        ]
        let (status, lines) = check(changes)
        #expect(status == 0)
        let names = "lkpush_htp_*, lk_room_duration_seconds_bucket"
        #expect(lines.contains { $0.hasPrefix("warning: METRICS_EXCLUDE: \(names): no metric") }, "\(lines)")
        #expect(!check(["METRICS_EXCLUDE": "process_*"]).lines.contains { $0.hasPrefix("warning: ") })
        let exporter = try RunningExporter(folder, changes)
        _ = try exporter.ready()
        let told = exporter.lines.filter { ($0["msg"] as? String)?.hasPrefix("METRICS_EXCLUDE has globs") == true }
        #expect(told.compactMap { $0["globs"] as? String } == ["lkpush_htp_*,lk_room_duration_seconds_bucket"])
        #expect(exporter.process.end(with: SIGTERM) == 0)
        let wrong = check(["METRICS_EXCLUDE": "lk_[ab,{x}"])
        #expect(wrong.status == 78 && wrong.lines.count == 3, "\(wrong.lines)")
    }
}
