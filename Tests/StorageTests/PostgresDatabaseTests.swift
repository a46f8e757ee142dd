import Platform
import Postgres
import Storage
import StoragePostgres
import TestSupport
import Testing
import Wire

/// What only the PostgreSQL adapter promises.
@Suite struct PostgresDatabaseTests {
    private func connect(_ change: (inout PostgresSettings) -> Void = { _ in }) throws -> PostgresDatabase {
        var settings = PostgresSchemas.patient
        change(&settings)
        return try PostgresDatabase(PostgresSchemas.newSchema(), settings)
    }

    private func failure(_ body: () throws(StoreError) -> Void) -> StoreError? {
        do throws(StoreError) { try body() } catch { return error }
        return nil
    }

    @Test func `the server tells its own time, also within a transaction`() throws {
        let database = try connect()
        let before = SystemTime().now()
        try database.begin(.write)
        var last = before
        for _ in 0..<3 {
            let told = try #require(try database.now())
            #expect(told >= last && told <= SystemTime().now())
            last = told
            _ = try database.rows("SELECT pg_sleep(0.002)", [])
        }
        #expect(last > before)
        try database.commit()
    }

    @Test func `values arrive as they left`() throws {
        let database = try connect()
        try database.runScript(
            "CREATE TABLE v (i bigint, d double precision, t text, z timestamptz, w timestamp, y date, b boolean)")
        let texts = ["", "it's \"quoted\" \\ %_ $1", "Zoë 🦊 e\u{301}", "NULL", "\u{1}\n\t"]
        for text in texts {
            for number in [Int64.min, -1, 0, .max] {
                _ = try database.run("DELETE FROM v", [])
                _ = try database.run(
                    "INSERT INTO v VALUES ($1, $2, $3, $4, $5, $6, true)",
                    [.integer(number), .double(1.1e-300), .text(text), .time(noon), .time(noon), .day(today)])
                let row = try database.first("SELECT i, d, t, z = '2026-09-28T12:00Z', w, y, b FROM v")
                let expected: [SQLValue] = [
                    .integer(number), .double(1.1e-300), .text(text), .integer(1), .text("2026-09-28 12:00:00"),
                    .text("2026-09-28"), .integer(1),
                ]
                #expect(row == expected)
            }
        }
        #expect(
            try database.first("SELECT SUM(i), $1::text, 1.5::numeric FROM v", [.null])[1...] == [.null, .double(1.5)])
    }

    @Test func `the session is lkpush's own`() throws {
        let database = try connect {
            $0.lockTimeout = .seconds(20)
            $0.statementTimeout = .seconds(30)
        }
        #expect(
            try database.first(
                """
                SELECT current_setting('application_name'), current_setting('TimeZone'),
                    current_setting('client_encoding'), current_setting('lock_timeout'),
                    current_setting('statement_timeout')
                """) == [.text("lkpush"), .text("UTC"), .text("UTF8"), .text("20s"), .text("30s")])
        let server = try PostgresServer.shared()
        let named = try PostgresSchemas.connect(server.url(database: "postgres") + "?application_name=mine")
        #expect(try named.first("SELECT current_setting('application_name')") == [.text("mine")])
    }

    @Test func `trouble has its kind and its code`() throws {
        let database = try connect()
        try database.runScript("CREATE TABLE v (x bigint UNIQUE DEFERRABLE INITIALLY DEFERRED, y int CHECK (y > 0))")
        func code(_ sql: String, _ values: [SQLValue] = []) -> (StoreError.Kind?, String?) {
            let error = failure { () throws(StoreError) in _ = try database.run(sql, values) }
            return (error?.kind, error?.code)
        }
        #expect(code("INSERT INTO v (y) VALUES (-1)") == (.refused, "23514"))
        #expect(code("INSERT INTO v (x) VALUES ($1)", [.text("seven")]) == (.refused, "22P02"))
        #expect(code("INSERT INTO v (y) VALUES ($1)", [.integer(.max)]) == (.refused, "22003"))
        #expect(code("SELEC 1") == (.other, "42601"))
        #expect(code("SELECT * FROM nothing") == (.other, "42P01"))
        #expect(code("SELECT $1", [.text("a\0b")]) == (.refused, "22021"))
        #expect(code("SELECT $2::bigint, $1::bigint", [.integer(1)]) == (.other, "08P01"))
        try database.begin(.write)
        _ = try database.run("INSERT INTO v (x) VALUES (1)", [])
        _ = try database.run("INSERT INTO v (x) VALUES (1)", [])
        let late = failure { () throws(StoreError) in try database.commit() }
        #expect(late?.kind == .refused && late?.code == "23505")
        database.rollBack()
        #expect(try database.first("SELECT COUNT(*) FROM v") == [.integer(0)])
    }

    @Test func `a commit after a failed statement is no success`() throws {
        let database = try connect()
        try database.runScript("CREATE TABLE v (x bigint)")
        try database.begin(.write)
        _ = try database.run("INSERT INTO v VALUES (1)", [])
        _ = failure { () throws(StoreError) in _ = try database.run("SELECT 1 / 0", []) }
        #expect(failure { () throws(StoreError) in try database.commit() }?.kind == .other)
        database.rollBack()
        #expect(try database.first("SELECT COUNT(*) FROM v") == [.integer(0)])
    }

    @Test func `a statement that waits for a lock or takes too long fails, and the connection lives`() throws {
        let url = try PostgresSchemas.newSchema()
        let other = try PostgresDatabase(url, PostgresSchemas.patient)
        try other.runScript("CREATE TABLE v (x bigint); INSERT INTO v VALUES (1)")
        try other.begin(.write)
        _ = try other.run("UPDATE v SET x = 2", [])
        var settings = PostgresSchemas.patient
        settings.lockTimeout = .milliseconds(20)
        let waiting = try PostgresDatabase(url, settings)
        let locked = failure { () throws(StoreError) in _ = try waiting.run("UPDATE v SET x = 3", []) }
        #expect(locked?.kind == .other && locked?.code == "55P03")
        settings = PostgresSchemas.patient
        settings.statementTimeout = .seconds(1)
        // The server ends it, and not the connection.
        settings.grace = Waits.limit
        let hasty = try PostgresDatabase(url, settings)
        let slow = failure { () throws(StoreError) in _ = try hasty.rows("SELECT pg_sleep(10000)", []) }
        #expect(slow?.kind == .other && slow?.code == "57014")
        other.rollBack()
        #expect(try waiting.run("UPDATE v SET x = 3", []) == 1)
        // A second may be too short for any statement, on a machine that is busy enough.
        #expect(eventually { (try? hasty.run("UPDATE v SET x = 4", [])) == 1 })
    }

    @Test func `two that wait for each other end, one of them with an error that may be tried again`() throws {
        let url = try PostgresSchemas.newSchema()
        let first = try PostgresDatabase(url, PostgresSchemas.patient)
        try first.runScript("CREATE TABLE v (x bigint PRIMARY KEY, y bigint); INSERT INTO v VALUES (1, 0), (2, 0)")
        let errors = Monitor<[StoreError]>([])
        let isReady = Monitor(false)
        try first.begin(.write)
        _ = try first.run("UPDATE v SET y = 1 WHERE x = 1", [])
        let thread = NamedThread(name: "second") {
            do throws(StoreError) {
                let second = try PostgresDatabase(url, PostgresSchemas.patient)
                try second.transaction(.write) { () throws(StoreError) in
                    _ = try second.run("UPDATE v SET y = 2 WHERE x = 2", [])
                    isReady.change { $0 = true }
                    _ = try second.run("UPDATE v SET y = 2 WHERE x = 1", [])
                }
            } catch {
                errors.change { $0.append(error) }
            }
        }
        _ = isReady.wait(until: nil) { $0 ? true : nil }
        let error = failure { () throws(StoreError) in _ = try first.run("UPDATE v SET y = 1 WHERE x = 2", []) }
        first.rollBack()
        thread.join()
        let all = errors.withLock { $0 } + [error].compactMap { $0 }
        #expect(all.map(\.code) == ["40P01"] && all.map(\.kind) == [.other])
    }

    @Test func `more texts than are kept prepared work too`() throws {
        let database = try connect()
        for number in 0..<450 {
            #expect(try database.first("SELECT \(number % 230), $1::bigint", [.integer(7)])[1] == .integer(7))
        }
        let kept = try database.first("SELECT COUNT(*) FROM pg_prepared_statements")
        #expect(kept == [.integer(200)])
    }

    @Test func `a prepared statement whose table changed is made again on a new connection`() throws {
        let url = try PostgresSchemas.newSchema()
        let database = try PostgresDatabase(url, PostgresSchemas.patient)
        try database.runScript("CREATE TABLE v (x bigint); INSERT INTO v VALUES (1)")
        #expect(try database.first("SELECT x FROM v") == [.integer(1)])
        try PostgresDatabase(url, PostgresSchemas.patient).runScript("ALTER TABLE v ALTER COLUMN x TYPE text")
        let stale = failure { () throws(StoreError) in _ = try database.rows("SELECT x FROM v", []) }
        #expect(stale?.kind == .connectionLost)
        #expect(try PostgresDatabase(url, PostgresSchemas.patient).first("SELECT x FROM v") == [.text("1")])
    }

    @Test func `a pipeline does all or fails as its first error says`() throws {
        let database = try connect()
        try database.runScript("CREATE TABLE v (x bigint CHECK (x <> 1500))")
        let insert = "INSERT INTO v VALUES ($1)"
        func statements(_ numbers: [Int64]) -> [SQLStatement] {
            numbers.map { SQLStatement(insert, [.integer($0)]) }
        }
        #expect(try database.runAll(statements(Array(0..<1_400))) == Array(repeating: 1, count: 1_400))
        #expect(try database.runAll([SQLStatement("DELETE FROM v WHERE x < $1", [.integer(700)])]) == [700])
        try database.begin(.write)
        let error = failure { () throws(StoreError) in _ = try database.runAll(statements(Array(1_400..<1_600))) }
        #expect(error?.kind == .refused && error?.code == "23514")
        database.rollBack()
        #expect(try database.first("SELECT COUNT(*) FROM v") == [.integer(700)])
        #expect(try database.runAll([]) == [])
        // More than both sides' buffers hold.
        let long = String(repeating: "x", count: 100_000)
        let echoes = (0..<400).map { _ in SQLStatement("SELECT $1::text", [.text(long)]) }
        #expect(try database.runAll(echoes).count == 400)
    }

    @Test func `in a crowd of statements each that is refused undoes only itself`() throws {
        let database = try connect()
        try database.runScript("CREATE TABLE v (x bigint CHECK (x % 3 <> 0), t text)")
        let insert = "INSERT INTO v VALUES ($1, $2)"
        for count in [0, 1, 2, 250, 251, 700] {
            try database.begin(.write)
            _ = try database.run("DELETE FROM v", [])
            let statements = (0..<count).map {
                SQLStatement(insert, [.integer(Int64($0)), .text($0 == 1 ? "a\0b" : "it's")])
            }
            let refusals = try database.runEach(statements)
            #expect(refusals.enumerated().allSatisfy { ($1 != nil) == ($0 % 3 == 0 || $0 == 1) })
            #expect(refusals.count == count)
            try database.commit()
            let kept = (0..<count).filter { $0 % 3 != 0 && $0 != 1 }
            #expect(
                try database.first("SELECT COUNT(*), COALESCE(SUM(x), 0) FROM v")
                    == [.integer(Int64(kept.count)), .integer(Int64(kept.reduce(0, +)))])
        }
        try database.begin(.write)
        let broken = [SQLStatement(insert, [.integer(1), .null]), SQLStatement("SELECT pg_sleep(10000)", [])]
        try database.runScript("SET LOCAL statement_timeout = 50")
        let error = failure { () throws(StoreError) in _ = try database.runEach(broken) }
        #expect(error?.kind == .other && error?.code == "57014")
        database.rollBack()
        #expect(try database.first("SELECT COUNT(*) FROM v") == [.integer(465)])
    }

    @Test func `what a server in another encoding holds is read, and what it cannot hold is refused`() throws {
        let server = try PostgresServer.shared()
        let ascii = try PostgresSchemas.connect(server.database("ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"))
        let broken = try ascii.first("SELECT E'a\\xffb'")
        #expect(broken == [.text("a\u{FFFD}b")])
        let latin = try PostgresSchemas.connect(server.database("ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"))
        #expect(try latin.first("SELECT $1::text", [.text("Zoë")]) == [.text("Zoë")])
        let fox = failure { () throws(StoreError) in _ = try latin.rows("SELECT $1::text", [.text("🦊")]) }
        #expect(fox?.kind == .refused && fox?.text.contains("🦊") == false)
    }

    @Test func `a socket, several hosts and the role of the server choose the connection`() throws {
        let server = try PostgresServer.shared()
        let socket = "postgresql:///postgres?host=\(server.folder)&port=\(server.port)&user=\(PostgresServer.role)"
        #expect(try PostgresSchemas.connect(socket).first("SELECT inet_client_addr()") == [.null])
        let port = FixedPorts.pick()
        let hosts = "postgresql://\(PostgresServer.role)@127.0.0.1:\(port),127.0.0.1:\(server.port)/postgres"
        #expect(
            try PostgresSchemas.connect(hosts + "?target_session_attrs=read-write").first("SELECT 1") == [.integer(1)])
        #expect(throws: StoreError.self) { try PostgresSchemas.connect(hosts + "?target_session_attrs=standby") }
    }
}
