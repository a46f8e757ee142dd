import Glibc
import Platform
import TestSupport
import Testing

/// Whatever happens to the log, webhooks, health and a stop do not wait for its reader.
@Suite(.serialized) struct StuckLogTests {
    private let folder = TemporaryFolder()
    private let pipe: NamedPipe
    private let service: SilentService

    init() throws {
        pipe = try NamedPipe(folder.file("pipe"))
        service = SilentService(folder)
    }

    /// Starts the program with the pipe as its standard output and error.
    private func start(_ more: [String: String] = [:]) throws -> ChildProcess {
        try ChildProcess(BuiltProgram.executable, [], environment: service.environment(more), output: pipe.path)
    }

    @Test func `a full pipe that nobody reads holds neither webhooks nor health nor a stop`() throws {
        pipe.fill()
        let process = try start(["LOG_LEVEL": "debug"])
        try service.waitUntilReady(process)
        #expect(service.dropped == 0)
        try service.sendWebhooks(6_000)
        #expect(service.dropped > 1_000)
        #expect(process.end(with: SIGTERM) == 0)
    }

    @Test func `when somebody reads again, the lines go on, and one says how many were lost`() throws {
        pipe.fill()
        let process = try start(["LOG_LEVEL": "debug"])
        try service.waitUntilReady(process)
        try service.sendWebhooks(6_000)
        #expect(service.dropped > 1_000)
        #expect(eventually { told > 0 && told == Int(service.dropped) })
        #expect(pipe.lines.first?.contains("\"lkpush starts\"") == true)
        process.signal(SIGTERM)
        #expect(eventually { pipe.lines.last?.contains("\"msg\":\"stopped\"") == true })
        #expect(process.wait() == 0)
        #expect(pipe.lines.allSatisfy { $0.hasPrefix("{\"ts\":") && $0.hasSuffix("}") }, "no line is torn")
    }

    /// The number of lines that the log itself reports as lost.
    private var told: Int {
        pipe.lines.filter { $0.contains("\"msg\":\"log lines were lost") }
            .reduce(0) { $0 + (Int($1.split(separator: ":").last?.dropLast() ?? "") ?? 0) }
    }

    @Test func `a reader that is gone holds nothing`() throws {
        let process = try start(["LOG_LEVEL": "debug"])
        try service.waitUntilReady(process)
        pipe.abandon()
        try service.sendWebhooks(100)
        #expect(eventually { service.dropped >= 100 })
        #expect(process.end(with: SIGTERM) == 0)
    }

    @Test func `a second signal ends a process whose log nobody reads`() throws {
        pipe.fill()
        let process = try start()
        try service.waitUntilReady(process)
        // A stop waits for the request that is under way. The second signal does not.
        let socket = try LoopbackSocket.connected(to: service.webhooks)
        #expect(socket.write(Array("POST /webhook HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{".utf8)))
        let isUnderWay = eventually {
            (RunningExporter.metrics(service.metrics)["lkpush_http_connections{listener=\"public\"}"] ?? 0) >= 1
        }
        #expect(isUnderWay)
        process.signal(SIGTERM)
        process.signal(SIGINT)
        #expect(process.wait() == 130)
    }

    // MARK: Commands

    @Test func `a bad configuration ends with 78, whether anybody reads why or not`() throws {
        pipe.fill()
        #expect(try start(["PUSH_INTERVAL": "5 parsecs"]).wait() == 78)
        _ = pipe.read()
        #expect(try start(["PUSH_INTERVAL": "5 parsecs"]).wait() == 78)
        #expect(pipe.lines.last?.contains("PUSH_INTERVAL") == true)
    }

    @Test(arguments: [("help", "LOG_LEVEL"), ("version", "lkpush "), ("check", "receiver  ")])
    func `a command writes all of it, however late somebody reads`(_ command: String, _ end: String) throws {
        pipe.fill()
        let process = try ChildProcess(
            BuiltProgram.executable, [command], environment: service.environment(["DURABILITY": "memory"]),
            output: pipe.path)
        // The program works until it writes its output. Then it waits for a reader.
        #expect(eventually { Self.state(of: process) == "S" })
        #expect(process.poll() == nil)
        #expect(eventually { pipe.lines.contains { $0.contains(end) } && process.poll() == 0 })
    }

    /// The state in `/proc`; S means sleeping.
    private static func state(of process: ChildProcess) -> Character? {
        let text = (try? FileStore.read("/proc/\(process.pid)/stat")).map { String(decoding: $0, as: UTF8.self) }
        return text?.split(separator: ")").last?.first { $0 != " " }
    }

    @Test func `a simulation goes on though nobody reads how it does`() throws {
        pipe.fill()
        let exporter = try RunningExporter(folder, [:])
        let webhooks = try exporter.ready().webhooks
        let process = try ChildProcess(
            BuiltProgram.executable,
            ["simulate", "--url", "http://127.0.0.1:\(webhooks)/webhook", "--speed", "2000"],
            environment: BuiltProgram.environment(folder), output: pipe.path)
        let isSending = Waiting.until("webhooks") {
            let samples = exporter.port("metrics").map(RunningExporter.metrics) ?? [:]
            return samples.filter { $0.key.hasPrefix("lk_webhook_events_total") }.values.reduce(0, +) >= 100
        }
        #expect(isSending)
        process.signal(SIGKILL)
        _ = process.wait()
        #expect(exporter.process.end(with: SIGTERM) == 0)
    }
}
