import Foundation
import Glibc
import Platform
import TestSupport
import Testing

/// The built program, with a receiver whose name no name server tells.
@Suite(.enabled(if: PrivateNames.isAllowed, "mounting needs root")) struct SilentNameServerTests {
    /// The ids of the program's threads that search for addresses.
    private static func resolvers(of process: ChildProcess) -> [String] {
        let tasks = "/proc/\(process.pid)/task"
        let ids = (try? FileManager.default.contentsOfDirectory(atPath: tasks)) ?? []
        return ids.filter { (try? String(contentsOfFile: "\(tasks)/\($0)/comm", encoding: .utf8)) == "resolver\n" }
    }

    @Test func `readings go on, one thread waits for the name server, and a stop ends well`() throws {
        let names = try PrivateNames()
        try names.run {
            let folder = TemporaryFolder()
            let exporter = try RunningExporter(
                folder,
                [
                    "GRAFANA_PROM_REMOTE_WRITE_URL": "http://receiver.example/api/v1/write", "PUSH_INTERVAL": "100ms",
                    "IDLE_PUSH_INTERVAL": "100ms", "REMOTE_WRITE_TIMEOUT": "100ms", "REMOTE_WRITE_MIN_BACKOFF": "10ms",
                    "REMOTE_WRITE_MAX_BACKOFF": "100ms", "SHUTDOWN_TIMEOUT": "20s",
                ])
            let port = try exporter.ready().metrics
            func own(_ name: String) -> Double {
                RunningExporter.metrics(port).filter { $0.key.hasPrefix("lkpush_remote_write_\(name)") }.values
                    .reduce(0, +)
            }
            let waited = Waiting.value(for: "a search") { () -> [String]? in
                let ids = Self.resolvers(of: exporter.process)
                return ids.isEmpty ? nil : ids
            }
            // Requests are tried and fail, and the search of the first one serves all of them.
            let (readings, errors) = (own("readings_total"), own("errors_total"))
            let goesOn = Waiting.until("readings and failures") {
                own("readings_total") >= readings + 20 && own("errors_total") >= errors + 5
            }
            #expect(goesOn)
            #expect(waited?.count == 1)
            #expect(Self.resolvers(of: exporter.process) == waited)
            #expect(exporter.output.contains("no name server has answered"))
            // Status 1 would be an end by the guard of SHUTDOWN_TIMEOUT.
            let start = SystemTime().monotonic()
            #expect(exporter.process.end(with: SIGTERM) == 0, "\(exporter.output.suffix(2_000))")
            #expect(Promptness.holds(since: start, within: .seconds(18)))
        }
    }
}
