import Foundation
import Glibc
import Platform
import TestSupport

/// The built program on ports that stay the same, killed and started again on the same state.
///
/// What it should not do, such as ending by itself, is thrown with the end of its log.
final class MortalExporter {
    /// What the program did and should not have done.
    struct ExporterError: Error, CustomStringConvertible {
        let description: String
    }

    let webhooks = FixedPorts.pick()
    let metrics = FixedPorts.pick()
    private let environment: [String: String]
    /// It lives as long as the program does.
    private let folder: TemporaryFolder
    private let log: String
    private var process: ChildProcess?
    /// How often it was started, and how often it was killed.
    private(set) var starts = 0
    private(set) var kills = 0
    /// Posts that were sent more than once, by event.
    private var repeats: [String: Int] = [:]

    /// Not started yet. `environment` adds to, or replaces, what every run needs.
    init(_ folder: TemporaryFolder, name: String = "exporter", _ environment: [String: String]) {
        let own = [
            "LISTEN": "127.0.0.1:\(webhooks)", "METRICS_LISTEN": "127.0.0.1:\(metrics)", "LOG_LEVEL": "info",
        ]
        self.environment = RunningExporter.environment(folder).merging(own) { $1 }.merging(environment) { $1 }
        self.folder = folder
        log = folder.file("\(name).log")
    }

    /// Starts it; `more` is for this life only.
    func start(_ more: [String: String] = [:]) throws {
        precondition(process == nil, "it lives")
        starts += 1
        process = try ChildProcess(
            RunningExporter.executable, [], environment: environment.merging(more) { $1 }, output: log)
    }

    /// Starts it and waits until it is ready.
    func startAndWait(_ more: [String: String] = [:]) throws {
        try start(more)
        try waitUntilReady()
    }

    /// Kills it; it must have lived until then.
    func kill() throws {
        kills += 1
        try end(with: SIGKILL, expecting: 128 + SIGKILL)
    }

    /// Ends it in good order.
    func terminate() throws { try end(with: SIGTERM, expecting: 0) }

    /// It must have died of SIGKILL by another hand.
    func expectKilled() throws {
        kills += 1
        let status = try waitForEnd()
        if status != 128 + SIGKILL { throw failure("it ended with \(status)") }
    }

    /// Whether nothing runs any more, whatever the reason.
    var hasEnded: Bool { process?.poll() != nil }

    /// Sends a signal and does not wait.
    func signal(_ number: Int32) { process?.signal(number) }

    /// Waits for an end that something else brings about, and gives the status.
    func waitForEnd() throws -> Int32 {
        var status: Int32?
        let hasEnded = eventually {
            status = process?.poll()
            return status != nil
        }
        guard hasEnded, let status else { throw failure("it did not end") }
        process = nil
        return status
    }

    private func end(with number: Int32, expecting expected: Int32) throws {
        guard let process else { throw failure("it does not live") }
        let early = process.poll()
        let status = process.end(with: number)
        self.process = nil
        if let early { throw failure("it ended by itself with \(early)") }
        if status != expected { throw failure("signal \(number) ended it with \(status) and not \(expected)") }
    }

    /// Throws where it has ended by itself.
    func expectAlive() throws {
        if let status = process?.poll() {
            process = nil
            throw failure("it ended by itself with \(status)")
        }
    }

    func waitUntilReady() throws {
        let isReady = try eventually {
            try expectAlive()
            return LoopbackClient.get("/readyz", port: metrics)?.status == 200
        }
        if !isReady { throw failure("not ready: \(readiness)") }
    }

    /// What `/readyz` says, or that nobody answers.
    var readiness: String {
        LoopbackClient.get("/readyz", port: metrics).map { "\($0.status) \($0.body)" } ?? "no answer"
    }

    /// What `/metrics` says.
    var samples: [String: Double] { RunningExporter.metrics(metrics) }

    /// Remembers which posts were sent more than once.
    func note(_ record: RetryingSender.Record, of posts: some Sequence<Day.Post>) {
        repeats.merge(record.repeats(of: posts)) { $0 + $1 }
    }

    /// Waits until the event-driven samples are `expected`; gives the differences where they never are.
    func differences(
        from expected: [String: Double], ignoring isIgnored: (String) -> Bool = { _ in false }
    ) throws -> [String] {
        let wanted = Comparison.driven(expected).filter { !isIgnored($0.key) }
        var differences: [String] = []
        _ = try eventually {
            try expectAlive()
            let found = Comparison.driven(samples).filter { !isIgnored($0.key) }
            differences = Comparison.differences(
                expected: wanted, found: found, repeats: repeats)
            return differences.isEmpty
        }
        return differences
    }

    /// Everything it has written in all its lives.
    var output: String {
        (try? FileStore.read(log, limit: 256 << 20)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    func failure(_ text: String) -> ExporterError {
        ExporterError(description: "\(text); the log ends with: \(output.suffix(1_500))")
    }
}
