import Glibc
import Platform

/// A real Prometheus on a free loopback port, with its own data folder. It is killed when the object goes.
package final class PrometheusServer: Sendable {
    package typealias Series = QueryAPI.Series
    package typealias Point = QueryAPI.Point

    package let port: UInt16
    /// False for a Prometheus as it comes, which answers 404 to remote write.
    private let takesWrites: Bool
    /// The time that an instant query looks back for a sample.
    private let lookback: String
    private let folder = TemporaryFolder()
    private let child = Monitor<ChildProcess?>(nil)

    package static let executable = "/usr/bin/prometheus"

    /// Starts the server and waits until it is ready.
    ///
    /// - Parameters:
    ///   - configuration: its YAML, such as scrape jobs.
    ///   - files: the text of files beside the configuration, by name, such as rules that `rule_files` names.
    ///   - lookback: the time that an instant query looks back for a sample.
    ///   - takesWrites: its receiver for remote write is enabled.
    package init(
        configuration: String = "global: {}\n", files: [String: String] = [:], lookback: String = "5m",
        takesWrites: Bool = true
    ) throws {
        try FileStore.replace(folder.file("prometheus.yml"), with: Array(configuration.utf8))
        for (name, text) in files { try FileStore.replace(folder.file(name), with: Array(text.utf8)) }
        self.lookback = lookback
        port = FixedPorts.pick()
        self.takesWrites = takesWrites
        try start()
    }

    package var writeURL: String { "http://127.0.0.1:\(port)/api/v1/write" }
    /// The text that the server logged.
    package var log: String {
        (try? FileStore.read(folder.file("log"), limit: 64 << 20)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Starts the server again on the same data and port.
    package func start() throws {
        let process = try ChildProcess(
            Self.executable,
            [
                "--config.file=\(folder.file("prometheus.yml"))", "--storage.tsdb.path=\(folder.file("data"))",
                "--web.listen-address=127.0.0.1:\(port)", "--query.lookback-delta=\(lookback)",
            ] + (takesWrites ? ["--web.enable-remote-write-receiver"] : []), output: folder.file("log"))
        let isReady = eventually {
            if process.poll() != nil { return true }
            return (try? api.get("/-/ready"))?.hasPrefix("200") == true
        }
        guard isReady, process.poll() == nil else {
            throw QueryAPI.ServerError(description: "Prometheus did not start: \(log)")
        }
        child.change { $0 = process }
    }

    /// Stops the server in good order. Its data stay.
    package func stop() {
        let process: ChildProcess? = child.change { child in
            defer { child = nil }
            return child
        }
        _ = process?.end(with: SIGTERM)
    }

    // MARK: Queries

    var api: QueryAPI { QueryAPI(port: port) }

    /// The figures that the server tells about itself, in the text format, after a line with the status.
    package func ownMetrics() throws -> String { try api.get("/metrics") }

    /// The result of an instant query, at a time in seconds or now.
    package func query(_ expression: String, at time: Double? = nil) throws -> [Series] {
        try api.query(expression, at: time)
    }

    /// The result of a range query. Times and step are in seconds.
    package func query(_ expression: String, from: Double, to: Double, step: Double) throws -> [Series] {
        try api.query(expression, from: from, to: to, step: step)
    }

    /// Repeats a query until its result satisfies the condition. Returns the last result, even if that never happens.
    package func wait(
        for expression: String, until condition: ([Series]) -> Bool
    ) throws -> [Series] {
        try api.wait(for: expression, until: condition)
    }
}
