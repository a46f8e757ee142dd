import Glibc
import Platform
import TestSupport
import Testing

/// Whatever fails about the database, the program never prints its password.
@Suite struct DatabaseSecretTests {
    private let folder = TemporaryFolder()

    /// Everything that a command prints while it uses the database of `url`. While it runs, its pages and the list of
    /// processes are checked too.
    private func run(_ command: String, _ url: String, isFile: Bool) throws -> String {
        var environment = BuiltProgram.environment(folder)
        environment["LOG_LEVEL"] = "debug"
        if isFile {
            try FileStore.replace(folder.file("url"), with: Array((url + "\n").utf8))
            environment["DATABASE_URL_FILE"] = folder.file("url")
        } else {
            environment["DATABASE_URL"] = url
        }
        guard command == "serve" else {
            return ChildProcess.run(BuiltProgram.executable, [command], environment: environment).output
        }
        let ports = (webhooks: FixedPorts.pick(), metrics: FixedPorts.pick())
        environment["LISTEN"] = "127.0.0.1:\(ports.webhooks)"
        environment["METRICS_LISTEN"] = "127.0.0.1:\(ports.metrics)"
        let log = folder.file("log")
        let process = try ChildProcess(BuiltProgram.executable, [], environment: environment, output: log)
        func output() -> String {
            ((try? FileStore.read(log, limit: 64 << 20)).map { String(decoding: $0, as: UTF8.self) }) ?? ""
        }
        #expect(eventually { process.poll() != nil || output().contains("the database failed") }, "\(output())")
        var shown = ""
        if process.poll() == nil {
            let title = ChildProcess.run("/bin/ps", ["-L", "-o", "args=,comm=", "-p", "\(process.pid)"])
            #expect(title.output.contains("lkpush"))
            let pages = ["/metrics", "/", "/readyz", "/healthz"].map {
                LoopbackClient.get($0, port: ports.metrics)?.body ?? ""
            }
            #expect(pages[0].contains("lkpush_database_errors_total"))
            shown = title.output + pages.joined()
        }
        _ = process.end(with: SIGTERM)
        defer { unlink(log) }
        return output() + shown
    }

    private func expectNoSecret(_ urls: [String]) throws {
        for (number, url) in urls.enumerated() {
            for command in ["check", "migrate", "serve"] {
                let output = try run(command, url, isFile: number % 2 == 1)
                #expect(!output.isEmpty, "\(command) \(url)")
                #expect(!output.contains("hunter2") && !output.contains("ter2"), "\(command) \(url): \(output)")
            }
        }
    }

    @Test func `no line that the program writes holds the password`() throws {
        let server = try PostgresServer.shared()
        let address = "127.0.0.1:\(server.port)"
        try expectNoSecret([
            "postgresql://guarded:hunter2@\(address)/postgres", "postgresql://guarded:hun@ter2@\(address)/postgres",
            "postgresql://guarded:hunter2@127.0.0.1:1/postgres", "postgresql://guarded@\(address)/x?password=hunter2",
            "postgresql://guarded:hunter2@\(address)/x?pasword=hunter2", "postgresql://guarded:hunter2@\(address):/x",
            "postgresql://guarded:\(PostgresServer.password)@\(address)/nothing", "postgres:hunter2", "hunter2://x",
            "postgresql://guarded:hunter2@%00/postgres", "postgresql://guarded:hunter2@/postgres?host=/nowhere",
            "sqlite://hunter2/x",
        ])
    }

    @Test func `no password where TLS is missing, required, or not to be trusted`() throws {
        let plain = try PostgresServer.shared()
        let encrypted = try PostgresServer(isEncrypted: true)
        let user = "postgresql://guarded:\(PostgresServer.password)@127.0.0.1"
        try expectNoSecret([
            "\(user):\(plain.port)/postgres?sslmode=require",
            "\(user):\(encrypted.port)/postgres?sslmode=verify-full",
            "\(user):\(encrypted.port)/postgres?sslmode=verify-full&sslrootcert=/nowhere",
            "\(user):\(encrypted.port)/nothing?sslmode=require",
            "\(user):\(encrypted.port)/postgres?sslmode=require&sslpassword=hunter2&sslkey=/nowhere",
        ])
        #expect(!plain.log.contains("hunter2@") && !encrypted.log.contains("ter2%40"), "what the server writes too")
    }

    @Test func `check and migrate reach the database`() throws {
        let server = try PostgresServer.shared()
        let name = try server.newDatabase()
        let url = "postgresql://guarded:\(PostgresServer.password)@127.0.0.1:\(server.port)/\(name)"
        try server.query("GRANT CREATE ON SCHEMA public TO guarded", in: name)
        #expect(try run("check", url, isFile: true).contains("ok       database  "))
        #expect(try run("migrate", url, isFile: true).contains("applied 000010_participant_activity_metrics"))
        #expect(try run("migrate", url, isFile: false).contains("The schema is up to date."))
        let checked = try run("check", url, isFile: false)
        #expect(checked.contains("ok       database  postgresql://guarded:••••@127.0.0.1:\(server.port)/\(name)"))
    }
}
