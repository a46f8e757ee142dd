import Glibc
import LiveKit
import Platform
import TestSupport
import Testing

/// The built program with configurations in the form that people give them.
@Suite struct ConfigurationTests {
    private let folder = TemporaryFolder()

    private func run(_ words: [String], _ changes: [String: String]) -> (status: Int32, output: String) {
        let environment = BuiltProgram.environment(folder).merging(changes) { $1 }
        return ChildProcess.run(BuiltProgram.executable, words, environment: environment)
    }

    @Test func `a secret that cannot be right is status 78, and is not shown`() throws {
        try FileStore.replace(folder.file("env"), with: Array("REMOTE_WRITE_BEARER_TOKEN=\"hun\nter2\"\n".utf8))
        let utf16 = "LIVEKIT_API_SECRET=hunter2\n".utf16.flatMap { [UInt8($0 & 0xFF), UInt8($0 >> 8)] }
        try FileStore.replace(folder.file("utf16"), with: [0xFF, 0xFE] + utf16)
        let cases: [(words: [String], changes: [String: String], message: String)] = [
            ([], ["REMOTE_WRITE_BEARER_TOKEN": "hun\nter2"], "REMOTE_WRITE_BEARER_TOKEN: holds a line end"),
            (["check"], ["LIVEKIT_API_SECRET": "hun\u{1}ter2"], "LIVEKIT_API_SECRET: holds a control character"),
            (["--env-file", folder.file("env")], [:], "REMOTE_WRITE_BEARER_TOKEN: holds a line end"),
            (
                ["--env-file", folder.file("utf16")], [:],
                "lkpush: --env-file: \(folder.file("utf16")) line 1: the file is UTF-16; save it as UTF-8"
            ),
            ([], ["REMOTE_WRITE_FLUSH": "hunter2"], "REMOTE_WRITE_FLUSH: no such setting; is "),
            (
                ["check"],
                [
                    "REMOTE_WRITE_DESTINATIONS": "eu", "REMOTE_WRITE_DESTINATION_EU_URL": "https://u:hunter2@host/",
                    "REMOTE_WRITE_DESTINATION_EU_BEARER_TOKEN": "hun ter2",
                ], "REMOTE_WRITE_DESTINATION_EU_URL: holds a user or password; use REMOTE_WRITE_DESTINATION_EU_USERNAME"
            ),
            (
                [], ["REMOTE_WRITE_DESTINATION_EU_PASSWORD": "hunter2"],
                "REMOTE_WRITE_DESTINATION_EU_PASSWORD: REMOTE_WRITE_DESTINATIONS has no eu; add it"
            ),
            (
                ["migrate"], ["DATABASE_URL": "postgres://a:hunter2@h/d?schema=ter2&pgbouncer=true"],
                "schema is another client's, write options=-csearch_path%3DSCHEMA instead; pgbouncer is"
            ),
        ]
        for (words, changes, message) in cases {
            let (status, output) = run(words, changes)
            #expect(status == 78, "\(message): \(output)")
            #expect(output.contains(message) && !output.contains("ter2"), "\(output)")
        }
    }

    @Test func `a name that nobody reads is told beside the setting that is missing`() {
        let (status, output) = run(["check"], ["LIVEKIT_API_SECRET": "", "LIVEKIT_SECRET": "hunter2"])
        #expect(status == 78 && !output.contains("hunter2"))
        #expect(
            output.hasSuffix(
                "\n  warning: LIVEKIT_SECRET: no setting of lkpush, not read; see lkpush help where one was meant\n"),
            "\(output)")
    }

    @Test func `what was left out, and names that nobody reads, are told by check and in the log`() throws {
        let changes = [
            "LIVEKIT_API_SECRET": BuiltProgram.secret + "\n", "LIVEKIT_API_KEY": " " + BuiltProgram.key,
            "LIVEKIT_WS_ENDPOINT": "wss://hunter2", "LIVEKIT_SERVICE_HOST": "10.0.0.1", "OTEL_SERVICE_NAME": "x",
        ]
        let expected = [
            "LIVEKIT_API_KEY: blanks or line ends around its value", "LIVEKIT_API_SECRET: blanks or line ends",
            "LIVEKIT_WS_ENDPOINT: no setting of lkpush",
        ]
        let checked = run(["check"], changes)
        #expect(checked.status == 0, "\(checked.output)")
        for warning in expected {
            #expect(checked.output.contains("warning  setting  \(warning)"), "\(checked.output)")
        }
        let exporter = try RunningExporter(folder, changes)
        let ports = try exporter.ready()
        let told = exporter.lines.filter { $0["level"] as? String == "warning" }.compactMap { $0["setting"] as? String }
        #expect(told.count == expected.count)
        for warning in expected { #expect(told.contains { $0.hasPrefix(warning) }, "\(told)") }
        #expect(!exporter.output.contains("hunter2"))
        // The program works with the other settings.
        let simulated = run(
            ["simulate", "--url", "http://127.0.0.1:\(ports.webhooks)", "--duration", "30s", "--speed", "100"], changes)
        #expect(simulated.status == 0, "\(simulated.output)")
        #expect(exporter.process.end(with: SIGTERM) == 0)
    }

    @Test func `the simulator signs with the first key of the file that the exporter reads`() throws {
        let keys = folder.file("keys")
        try FileStore.replace(keys, with: Array("\u{FEFF}APIone: secret-of-one # first\nAPItwo: secret-of-two\n".utf8))
        let file = ["LIVEKIT_API_KEY": "", "LIVEKIT_API_SECRET": "", "LIVEKIT_KEYS_FILE": keys]
        let exporter = try RunningExporter(folder, file)
        let url = "http://127.0.0.1:\(try exporter.ready().webhooks)"
        let short = ["simulate", "--url", url, "--duration", "30s", "--speed", "100"]
        let simulated = run(short, file)
        #expect(simulated.status == 0, "\(simulated.output)")
        let secret = folder.file("secret")
        try FileStore.replace(secret, with: Array("secret-of-two\r\n".utf8))
        let single = ["LIVEKIT_API_KEY": "APItwo", "LIVEKIT_API_SECRET": "", "LIVEKIT_API_SECRET_FILE": secret]
        #expect(run(short, single).status == 0)
        try FileStore.replace(keys, with: Array("APIone: 'hunter2\n".utf8))
        let broken = run(short, file)
        #expect(broken.status == 78 && broken.output.contains("\(keys) line 1: a quote is not closed"))
        #expect(!broken.output.contains("hunter2"))
        #expect(exporter.process.end(with: SIGTERM) == 0)
    }

    @Test func `lines are text where they go to a terminal, and JSON where they do not`() throws {
        let terminal = open("/dev/ptmx", O_RDWR | O_NOCTTY)
        defer { close(terminal) }
        // This does the same as `unlockpt` and `ptsname`. https://man7.org/linux/man-pages/man2/TIOCSPTLCK.2const.html
        let (setLock, getNumber): (UInt, UInt) = (0x4004_5431, 0x8004_5430)
        var (isLocked, number): (Int32, Int32) = (0, 0)
        try #require(
            terminal >= 0 && ioctl(terminal, setLock, &isLocked) == 0 && ioctl(terminal, getNumber, &number) == 0)
        let name = "/dev/pts/\(number)"
        // The output stays readable as long as somebody has the other end open.
        let other = open(name, O_RDWR | O_NOCTTY)
        defer { close(other) }
        var environment = BuiltProgram.environment(folder)
        // The program ends by itself, because this machine has no such address.
        environment["METRICS_LISTEN"] = "203.0.113.1:9464"
        let process = try ChildProcess(BuiltProgram.executable, [], environment: environment, output: name)
        #expect(process.wait() == 1)
        var buffer = [UInt8](repeating: 0, count: 4_096)
        let count = read(terminal, &buffer, buffer.count)
        let shown = String(decoding: buffer.prefix(max(0, count)), as: UTF8.self)
        #expect(shown.contains(" info lkpush starts version=") && !shown.contains("{\"ts\""), "\(shown)")
        let (status, output) = ChildProcess.run(BuiltProgram.executable, [], environment: environment)
        #expect(status == 1 && output.hasPrefix("{\"ts\""), "\(output)")
    }
}
