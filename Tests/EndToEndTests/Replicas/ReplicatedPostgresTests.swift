import Glibc
import Platform
import TestSupport
import Testing

/// The replicated database of these tests. The other suites depend on what it promises.
@Suite(.serialized) struct ReplicatedPostgresTests {
    /// A client as the program is one: it knows both servers, and looks for the one that takes commits.
    private struct Client {
        let url: String
        let folder = TemporaryFolder()
        var file: String { folder.file("output") }

        var output: String { String(decoding: (try? FileStore.read(file, limit: 1 << 20)) ?? [], as: UTF8.self) }

        func start(_ sql: String) throws -> ChildProcess {
            try ChildProcess("/usr/bin/psql", ["-X", "-q", "-A", "-t", "-c", sql, url], output: file)
        }

        /// Runs SQL to its end. Returns true if it succeeded.
        func run(_ sql: String) throws -> Bool { try start(sql).wait() == 0 }
    }

    private func database(_ servers: ReplicatedPostgres) throws -> (name: String, client: Client) {
        let name = try servers.newDatabase()
        let client = Client(url: servers.url(database: name))
        try #require(try client.run("CREATE TABLE t (n integer)"), "\(client.output)")
        return (name, client)
    }

    private func numbers(_ server: PostgresServer, _ database: String) throws -> [String] {
        try server.rows("SELECT n FROM t ORDER BY n", in: database).map { $0[0] ?? "" }
    }

    private func waitForNumbers(_ wanted: [String], _ server: PostgresServer, _ database: String) throws {
        var found: [String] = []
        let isThere = eventually {
            // A standby does not have the database before it has read that far.
            found = (try? numbers(server, database)) ?? []
            return found == wanted
        }
        #expect(isThere, "\(found)")
    }

    @Test func `a commit waits for the standby, and what was answered outlives the primary`() throws {
        let servers = try ReplicatedPostgres()
        let (name, client) = try database(servers)
        #expect(try servers.standby.isStandby())
        #expect(try client.run("INSERT INTO t VALUES (1)"))
        try waitForNumbers(["1"], servers.standby, name)

        // While the standby is away, no commit is answered.
        try servers.cutStandby()
        let waiting = try client.start("INSERT INTO t VALUES (2)")
        let isWaiting = try eventually {
            try servers.primary.query("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") == "1"
        }
        #expect(isWaiting && waiting.poll() == nil)
        try servers.joinStandby()
        #expect(waiting.wait() == 0)

        for number in 3...10 { #expect(try client.run("INSERT INTO t VALUES (\(number))")) }
        try servers.killPrimary()
        #expect(try !client.run("INSERT INTO t VALUES (11)"), "nobody takes commits")
        try servers.promoteStandby()
        #expect(try !servers.standby.isStandby())
        #expect(try client.run("INSERT INTO t VALUES (12)"), "\(client.output)")
        try waitForNumbers(((1...10) + [12]).map { "\($0)" }, servers.standby, name)
    }

    @Test func `both servers stop and start again, and nothing is gone`() throws {
        let servers = try ReplicatedPostgres()
        let (name, client) = try database(servers)
        #expect(try client.run("INSERT INTO t VALUES (1)"))
        for _ in 0..<2 {
            try servers.stopBoth()
            #expect(try !client.run("SELECT 1"))
            try servers.startBoth()
        }
        #expect(try client.run("INSERT INTO t VALUES (2)"), "\(client.output)")
        for server in [servers.primary, servers.standby] { try waitForNumbers(["1", "2"], server, name) }
        // A primary that was killed starts again, too.
        try servers.killPrimary()
        try servers.primary.start()
        try waitForNumbers(["1", "2"], servers.primary, name)
    }

    @Test func `an asynchronous standby is promoted without the tail`() throws {
        let servers = try ReplicatedPostgres(.asynchronous)
        let (name, client) = try database(servers)
        #expect(try client.run("INSERT INTO t VALUES (1)"))
        try waitForNumbers(["1"], servers.standby, name)
        var isAnswered = false
        try servers.loseTail { isAnswered = try client.run("INSERT INTO t VALUES (2)") }
        #expect(isAnswered, "\(client.output)")
        #expect(try client.run("INSERT INTO t VALUES (3)"), "\(client.output)")
        #expect(try numbers(servers.standby, name) == ["1", "3"])
    }

    @Test(.enabled(if: HostName.isAllowed, "a host name of its own needs root and CAP_SYS_ADMIN"))
    func `a program has the host name that it is given, and nobody else has it`() throws {
        let folder = TemporaryFolder()
        let file = folder.file("name")
        let before = ChildProcess.run("/bin/uname", ["-n"]).output
        try HostName.run("replica-1") {
            let child = try ChildProcess("/bin/uname", ["-n"], output: file)
            #expect(child.wait() == 0)
        }
        let seen = String(decoding: try FileStore.read(file), as: UTF8.self)
        #expect(seen == "replica-1\n")
        #expect(ChildProcess.run("/bin/uname", ["-n"]).output == before)
    }
}
