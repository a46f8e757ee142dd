import Glibc
import Platform

/// The built program on ports that stay the same. It is killed and started again on the same state.
///
/// If the program does something wrong, such as ending by itself, an error is thrown with the end of its log.
package final class MortalExporter {
    /// A wrong behavior of the program.
    package struct ExporterError: Error, CustomStringConvertible {
        package let description: String
    }

    package let webhooks = FixedPorts.pick()
    package let metrics = FixedPorts.pick()
    private let environment: [String: String]
    /// The folder must live as long as the program.
    private let folder: TemporaryFolder
    private let log: String
    /// The host name that it sees. Nil for that of the machine.
    private let host: String?
    private var process: ChildProcess?
    /// The number of starts and the number of kills.
    package private(set) var starts = 0
    package private(set) var kills = 0
    /// Posts that were sent more than once, by event.
    package var repeats: [String: Int] = [:]

    /// Prepares the program without starting it. `environment` adds to, or replaces, the variables of every run. A host
    /// name of its own is possible if `HostName.isAllowed`.
    package init(
        _ folder: TemporaryFolder, name: String = "exporter", host: String? = nil, _ environment: [String: String]
    ) {
        let own = [
            "LISTEN": "127.0.0.1:\(webhooks)", "METRICS_LISTEN": "127.0.0.1:\(metrics)", "LOG_LEVEL": "info",
        ]
        self.environment = BuiltProgram.environment(folder).merging(own) { $1 }.merging(environment) { $1 }
        self.folder = folder
        self.host = host
        log = folder.file("\(name).log")
    }

    /// Starts the program. `more` is for this run only.
    package func start(_ more: [String: String] = [:]) throws {
        precondition(process == nil, "it lives")
        starts += 1
        let (environment, log) = (environment.merging(more) { $1 }, log)
        guard let host else {
            process = try ChildProcess(BuiltProgram.executable, [], environment: environment, output: log)
            return
        }
        let started = Monitor<ChildProcess?>(nil)
        try HostName.run(host) {
            let child = try ChildProcess(BuiltProgram.executable, [], environment: environment, output: log)
            started.change { $0 = child }
        }
        process = started.withLock { $0 }
    }

    /// Starts the program and waits until it is ready.
    package func startAndWait(_ more: [String: String] = [:]) throws {
        try start(more)
        try waitUntilReady()
    }

    /// Kills the program, which must have run until then.
    package func kill() throws {
        kills += 1
        try end(with: SIGKILL, expecting: 128 + SIGKILL)
    }

    /// Stops the program in good order.
    package func terminate() throws { try end(with: SIGTERM, expecting: 0) }

    /// Expects that somebody else killed the program with SIGKILL.
    package func expectKilled() throws {
        kills += 1
        let status = try waitForEnd()
        if status != 128 + SIGKILL { throw failure("it ended with \(status)") }
    }

    /// True if the program does not run any more, for whatever reason.
    package var hasEnded: Bool { process?.poll() != nil }

    /// The number of its process. Nil if it does not live.
    package var pid: Int32? { process?.pid }

    /// Sends a signal and does not wait.
    package func signal(_ number: Int32) { process?.signal(number) }

    /// Waits until something else ends the program. Returns its status.
    package func waitForEnd() throws -> Int32 {
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

    /// Throws if the program has ended by itself.
    package func expectAlive() throws {
        if let status = process?.poll() {
            process = nil
            throw failure("it ended by itself with \(status)")
        }
    }

    package func waitUntilReady() throws {
        let isReady = try eventually {
            try expectAlive()
            return LoopbackClient.get("/readyz", port: metrics)?.status == 200
        }
        if !isReady { throw failure("not ready: \(readiness)") }
    }

    /// The answer of `/readyz`, or a text that nobody answers.
    package var readiness: String {
        LoopbackClient.get("/readyz", port: metrics).map { "\($0.status) \($0.body)" } ?? "no answer"
    }

    /// Everything that the program has written in all its runs.
    package var output: String {
        (try? FileStore.read(log, limit: 256 << 20)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    package func failure(_ text: String) -> ExporterError {
        ExporterError(description: "\(text); the log ends with: \(output.suffix(1_500))")
    }
}
