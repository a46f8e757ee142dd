import Glibc
import Platform

/// A real PostgreSQL in a temporary folder, on a free port of 127.0.0.1 and a unix socket.
///
/// As root it runs as the user `postgres`, otherwise as the current user. A watchdog stops it and removes the folder
/// when the tests have ended, in whatever way: it waits for the end of a pipe that only the tests hold open.
package final class PostgresServer: Sendable {
    /// The server did not start, or a command failed.
    package struct PostgresError: Error, CustomStringConvertible {
        package let description: String
    }

    /// The role of the tests. It is no superuser. `guardedRole` needs the password over TCP.
    package static let role = "office"
    package static let guardedRole = "guarded"
    package static let password = "hunter2%40%2F%3Ax"
    /// The same password without escapes.
    package static let plainPassword = "hunter2@/:x"

    private static let one = Monitor<PostgresServer?>(nil)

    /// The server that all tests of a process share. The first call starts it.
    package static func shared() throws -> PostgresServer {
        try one.change { one in
            if let one { return one }
            let server = try PostgresServer()
            one = server
            return server
        }
    }

    /// A folder for a server, and who watches it.
    struct Place {
        /// The folder of PostgreSQL's programs.
        let bin: String
        let folder: String
        /// The end of the watchdog's pipe that the tests hold open.
        let leash: Int32

        init() throws {
            bin = try PostgresServer.findPrograms()
            var template = Array("/tmp/lkpush-postgres-XXXXXX".utf8CString)
            guard mkdtemp(&template) != nil else { throw PostgresError(description: "no folder in /tmp") }
            folder = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
            chmod(folder, 0o777)
            leash = try PostgresServer.startWatchdog(folder)
        }
    }

    package let port: UInt16
    /// The folder of its unix socket.
    package var folder: String { place.folder }
    private let place: Place
    private let names = Monitor(0)

    /// Starts a server for one test that stops it or needs other settings. With `isEncrypted` it accepts TLS, and
    /// `server.crt` in its folder is its certificate.
    package convenience init(
        settings: [String: String] = [:], isSynced: Bool = false, isEncrypted: Bool = false
    ) throws {
        let place = try Place()
        try Self.command(
            place.bin + "/initdb",
            [
                "-D", place.folder + "/data", "-U", "postgres", "-A", "trust", "-E", "UTF8",
                "--locale=C.UTF-8", "--no-sync", "--no-instructions",
            ])
        var settings = settings
        if isEncrypted {
            try Self.makeCertificate(place.folder)
            settings.merge(["ssl": "on"]) { $1 }
        }
        try self.init(place, settings: settings, isSynced: isSynced)
        try query(
            """
            CREATE ROLE \(Self.role) LOGIN; CREATE ROLE \(Self.guardedRole) LOGIN PASSWORD '\(Self.plainPassword)';
            """)
    }

    /// Starts a server on the data in a place.
    init(_ place: Place, settings: [String: String], isSynced: Bool) throws {
        self.place = place
        port = FixedPorts.pick()
        try Self.configure(place.folder, port: port, settings: settings, isSynced: isSynced)
        try control("start")
    }

    deinit { close(place.leash) }

    // MARK: Databases

    /// Makes a database that belongs to `role`. Returns its URL.
    package func database(_ options: String = "") throws -> String {
        let name = try newDatabase(options)
        return url(database: name)
    }

    /// Makes a database. Returns its name.
    package func newDatabase(_ options: String = "") throws -> String {
        let number = names.change { number in
            number += 1
            return number
        }
        try query("CREATE DATABASE test_\(number) OWNER \(Self.role) \(options)")
        return "test_\(number)"
    }

    /// The URL of a database. `port` may be that of a proxy.
    package func url(database: String, user: String = role, port: UInt16? = nil) -> String {
        "postgresql://\(user)@127.0.0.1:\(port ?? self.port)/\(database)"
    }

    /// Runs SQL as a superuser, with `psql`. Returns what that prints, unaligned.
    @discardableResult
    package func query(_ sql: String, in database: String = "postgres") throws -> String {
        let output = try psql(["-c", sql], in: database)
        return output.hasSuffix("\n") ? String(output.dropLast()) : output
    }

    /// The rows of a query, as text.
    package func rows(_ sql: String, in database: String) throws -> [[String?]] {
        // These separators are in no value.
        let output = try psql(["-F", "\u{1F}", "-R", "\u{1E}", "-P", "null=\u{1D}", "-c", sql], in: database)
        return output.dropLast().split(separator: "\u{1E}").map { row in
            row.split(separator: "\u{1F}", omittingEmptySubsequences: false).map { $0 == "\u{1D}" ? nil : String($0) }
        }
    }

    /// Runs any number of statements in one transaction, as `role`.
    package func execute(_ statements: [String], in database: String) throws {
        let script = TemporaryFolder()
        let text = statements.map { $0 + ";\n" }.joined()
        try FileStore.replace(script.file("script.sql"), with: Array(text.utf8))
        try psql(["-1", "-f", script.file("script.sql")], in: database, as: Self.role)
    }

    @discardableResult
    private func psql(_ words: [String], in database: String, as user: String = "postgres") throws -> String {
        let result = ChildProcess.run(
            place.bin + "/psql",
            [
                "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", folder, "-p", "\(port)", "-U", user, "-d",
                database,
            ]
                + words)
        guard result.status == 0 else { throw PostgresError(description: "\(words.last ?? ""): \(result.output)") }
        return result.output
    }

    /// Ends every connection to a database, as an administrator does.
    package func terminateConnections(to database: String) throws {
        try query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(database)'")
    }

    // MARK: Stopping and starting

    /// Stops the server at once: connections are cut, and committed transactions stay.
    package func stop() throws { try control("stop", "-m", "fast") }

    /// Ends the server as a power failure does: committed transactions are recovered from its log.
    package func crash() throws { try control("stop", "-m", "immediate") }

    /// Starts the server again on the same data and port.
    package func start() throws { try control("start") }

    /// The text that the server logged.
    package var log: String { Self.log(folder) }

    // MARK: Processes

    private static func log(_ folder: String) -> String {
        (try? FileStore.read(folder + "/log", limit: 64 << 20)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// The folder of the newest installed version's programs.
    private static func findPrograms() throws -> String {
        let roots = ["/usr/lib/postgresql", "/usr/local/pgsql", "/opt/postgresql"]
        let list = ChildProcess.run(
            "/bin/sh",
            [
                "-c",
                "ls -d \(roots.map { $0 + "/*/bin" }.joined(separator: " "))"
                    + " \(roots.map { $0 + "/bin" }.joined(separator: " ")) /usr/bin 2>/dev/null | sort -rV",
            ])
        let folders = list.output.split(separator: "\n").map(String.init)
        guard let found = folders.first(where: { access($0 + "/initdb", X_OK) == 0 }) else {
            throw PostgresError(description: "PostgreSQL is not installed: deploy/packages test")
        }
        return found
    }

    /// The words before a command that run it as a user whom PostgreSQL accepts.
    private static var asUser: [String] {
        getuid() == 0 ? ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups", "--"] : []
    }

    static func command(_ program: String, _ arguments: [String]) throws {
        let words = asUser + [program] + arguments
        let result = ChildProcess.run(words[0], Array(words.dropFirst()))
        guard result.status == 0 else { throw PostgresError(description: "\(program): \(result.output)") }
    }

    /// Runs `pg_ctl`, and waits until it is done.
    func control(_ words: String...) throws {
        let seconds = "\(Waits.limit.components.seconds)"
        try Self.command(
            place.bin + "/pg_ctl", ["-D", folder + "/data", "-l", folder + "/log", "-w", "-t", seconds] + words)
    }

    private static func configure(
        _ folder: String, port: UInt16, settings: [String: String], isSynced: Bool
    ) throws {
        var all = [
            "port": "\(port)", "listen_addresses": "127.0.0.1", "unix_socket_directories": folder,
            "max_connections": "200", "shared_buffers": "32MB", "autovacuum": "off", "log_timezone": "UTC",
            "timezone": "America/New_York", "jit": "off",
        ]
        if !isSynced { all.merge(["fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"]) { $1 } }
        all.merge(settings) { $1 }
        let lines = all.map { "\($0.key) = '\($0.value)'" }.sorted().joined(separator: "\n")
        let rules =
            "host all \(guardedRole) 127.0.0.1/32 scram-sha-256\nlocal all all trust\n"
            + "host all all 127.0.0.1/32 trust\nlocal replication all trust\n"
            + "host replication all 127.0.0.1/32 trust\n"
        for (name, text) in [("postgresql.auto.conf", lines + "\n"), ("pg_hba.conf", rules)] {
            let file = "\(folder)/data/\(name)"
            try FileStore.replace(file, with: Array(text.utf8), mode: 0o600)
            if let user = getpwnam("postgres"), getuid() == 0 { chown(file, user.pointee.pw_uid, user.pointee.pw_gid) }
        }
    }

    /// Makes a self-signed certificate for 127.0.0.1: `data/server.crt`.
    private static func makeCertificate(_ folder: String) throws {
        try command(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=lkpush-tests", "-addext",
                "subjectAltName=IP:127.0.0.1", "-keyout", folder + "/data/server.key", "-out",
                folder + "/data/server.crt",
            ])
        try command("/bin/cp", [folder + "/data/server.crt", folder + "/server.crt"])
    }

    /// Starts a shell that waits until this process is gone. Returns the descriptor that it waits for.
    private static func startWatchdog(_ folder: String) throws -> Int32 {
        let pipe = folder + "/leash"
        guard mkfifo(pipe, 0o600) == 0 else { throw SystemError("mkfifo", pipe) }
        // The pipe is open for reading and writing, so that neither side waits for the other.
        let file = open(pipe, O_RDWR | O_CLOEXEC)
        guard file >= 0 else { throw SystemError("open", pipe) }
        let script = """
            exec <"$0/leash"; echo >"$0/watched"; read -r _
            pid=$(head -n 1 "$0/data/postmaster.pid" 2>/dev/null) && kill -QUIT "$pid"
            while [ -n "$pid" ] && kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
            rm -rf "$0"
            """
        let result = ChildProcess.run("/bin/sh", ["-c", "setsid sh -c '\(script)' \(folder) >/dev/null 2>&1 &"])
        let isWatched = eventually { access(folder + "/watched", F_OK) == 0 }
        guard result.status == 0, isWatched else {
            throw PostgresError(description: "the watchdog did not start")
        }
        return file
    }
}
