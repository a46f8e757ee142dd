import Glibc
import Platform

/// A real VictoriaMetrics, single node, on a free loopback port, with its own data folder. It is killed when the object
/// goes.
package final class VictoriaMetricsServer: Sendable {
    package let port: UInt16
    private let folder = TemporaryFolder()
    private let child: ChildProcess

    package static let executable = "/usr/bin/victoria-metrics"

    /// Starts the server and waits until it is ready.
    package init() throws {
        let port = FixedPorts.pick()
        let process = try ChildProcess(
            Self.executable,
            [
                "-httpListenAddr=127.0.0.1:\(port)", "-storageDataPath=\(folder.file("data"))",
                // By default a query does not show the newest 30 s.
                "-search.latencyOffset=0s", "-search.disableCache", "-memory.allowedBytes=128MiB",
            ], output: folder.file("log"))
        let api = QueryAPI(port: port)
        let isReady = eventually {
            if process.poll() != nil { return true }
            return (try? api.get("/health"))?.hasPrefix("200") == true
        }
        self.port = port
        child = process
        guard isReady, process.poll() == nil else {
            throw QueryAPI.ServerError(description: "VictoriaMetrics did not start: \(log)")
        }
    }

    package var writeURL: String { "http://127.0.0.1:\(port)/api/v1/write" }
    /// The text that the server logged.
    package var log: String {
        (try? FileStore.read(folder.file("log"), limit: 64 << 20)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Stops the server in good order.
    package func stop() { _ = child.end(with: SIGTERM) }

    /// The result of an instant query now. Samples that were just taken are in it: by default they are shown after about
    /// a second.
    package func query(_ expression: String) throws -> [QueryAPI.Series] {
        let api = QueryAPI(port: port)
        let answer = try api.get("/internal/force_flush")
        guard answer.hasPrefix("200") else { throw QueryAPI.ServerError(description: answer) }
        return try api.query(expression)
    }
}
