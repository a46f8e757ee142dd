import Foundation
import Glibc
import Platform
import TestSupport
import Testing

/// The built program, started with its own environment.
final class RunningExporter {
    let process: ChildProcess
    private let log: String

    /// Starts the program on free ports. `environment` adds to, or replaces, the variables of every run.
    init(
        _ folder: TemporaryFolder, name: String = "exporter", arguments: [String] = [], _ environment: [String: String]
    ) throws(SystemError) {
        var variables = BuiltProgram.environment(folder)
        variables.merge(environment) { $1 }
        log = folder.file("\(name)-\(UInt32.random(in: 0..<UInt32.max)).log")
        process = try ChildProcess(BuiltProgram.executable, arguments, environment: variables, output: log)
    }

    /// Everything that the program has written.
    var output: String {
        do throws(SystemError) {
            return String(decoding: try FileStore.read(log, limit: 256 << 20), as: UTF8.self)
        } catch {
            return ""
        }
    }

    /// The log lines so far.
    var lines: [[String: Any]] {
        output.split(separator: "\n").compactMap { line in
            (try? JSONSerialization.jsonObject(with: Data(line.utf8))) as? [String: Any]
        }
    }

    /// The port that a listener was bound to. Nil until it is bound.
    func port(_ listener: String) -> UInt16? {
        for line in lines where line["msg"] as? String == "listening" && line["listener"] as? String == listener {
            return (line["address"] as? String)?.split(separator: ":").last.flatMap { UInt16($0) }
        }
        return nil
    }

    /// Waits until the program is ready. Returns both ports.
    func ready(sourceLocation: SourceLocation = #_sourceLocation) throws -> (webhooks: UInt16, metrics: UInt16) {
        let ports = Waiting.value(for: "readiness", sourceLocation: sourceLocation) { () -> (UInt16, UInt16)? in
            guard process.poll() == nil else { return (0, 0) }
            guard let webhooks = port("public"), let metrics = port("metrics"),
                LoopbackClient.get("/readyz", port: metrics)?.status == 200
            else { return nil }
            return (webhooks, metrics)
        }
        let (webhooks, metrics) = try #require(ports, "\(output.suffix(2_000))", sourceLocation: sourceLocation)
        try #require(webhooks != 0, "it ended: \(output.suffix(2_000))", sourceLocation: sourceLocation)
        return (webhooks, metrics)
    }

    /// The current samples of `/metrics`.
    static func metrics(_ port: UInt16) -> [String: Double] {
        Exposition.samples(LoopbackClient.get("/metrics", port: port)?.body ?? "")
    }

    /// Waits until the event-driven samples are `expected`. Records the differences if they never are.
    static func expect(
        _ expected: [String: Double], at port: UInt16, repeats: [String: Int] = [:],
        ignoring isIgnored: (String) -> Bool = { _ in false }, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let wanted = Comparison.driven(expected).filter { !isIgnored($0.key) }
        var differences: [String] = []
        let isEqual = Waiting.until("the samples", sourceLocation: sourceLocation) {
            let found = Comparison.driven(metrics(port)).filter { !isIgnored($0.key) }
            differences = Comparison.differences(expected: wanted, found: found, repeats: repeats)
            return differences.isEmpty
        }
        #expect(isEqual, "\(differences.prefix(20).joined(separator: "\n"))", sourceLocation: sourceLocation)
    }
}
