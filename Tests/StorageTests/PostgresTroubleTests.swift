import Platform
import Postgres
import Storage
import StoragePostgres
import TestSupport
import Testing
import Wire

/// What becomes of a connection when the server or the network does.
@Suite struct PostgresTroubleTests {
    private func failure(_ body: () throws(StoreError) -> Void) -> StoreError? {
        do throws(StoreError) { try body() } catch { return error }
        return nil
    }

    private func settings(_ timeout: Duration) -> PostgresSettings {
        var settings = PostgresSchemas.patient
        settings.connectTimeout = timeout
        settings.statementTimeout = timeout
        settings.grace = .milliseconds(50)
        return settings
    }

    /// A connection whose statements have 2 s, once one of them was answered in that time.
    private func hurried(_ url: PostgresURL) throws -> PostgresDatabase {
        var settings = settings(.seconds(2))
        settings.connectTimeout = Waits.limit
        var made: PostgresDatabase?
        _ = eventually {
            made = try? PostgresDatabase(url, settings)
            return (try? made?.first("SELECT length($1::text)", [.text("x")])) == [.integer(1)]
        }
        return try #require(made)
    }

    @Test func `a server that is silent is given up at the deadline`() throws {
        let server = try PostgresServer.shared()
        let proxy = try StallingProxy(to: server.port)
        let url = try PostgresSchemas.postgresURL(server.url(database: "postgres", port: proxy.port))
        let database = try PostgresDatabase(url, PostgresSchemas.patient)
        let hasty = try hurried(url)
        proxy.change(to: .stalled)
        let statement = failure { () throws(StoreError) in _ = try hasty.rows("SELECT 1", []) }
        #expect(statement?.kind == .connectionLost)
        #expect(failure { () throws(StoreError) in _ = try hasty.rows("SELECT 1", []) }?.kind == .connectionLost)
        let connection = failure { () throws(StoreError) in
            _ = try PostgresDatabase(url, settings(.milliseconds(200)))
        }
        #expect(connection?.kind == .connectionLost && connection?.operation == "connect")
        let long = failure { () throws(StoreError) in
            // More than the system buffers: sending waits too.
            _ = try PostgresDatabase(url, settings(.milliseconds(200))).rows("SELECT 1", [])
        }
        #expect(long?.kind == .connectionLost)
        proxy.change(to: .passing(delay: .zero))
        #expect(try database.first("SELECT 1") == [.integer(1)], "who waited longer goes on")
    }

    @Test func `a ping of a server that is silent is given up before other statements are`() throws {
        let server = try PostgresServer.shared()
        let proxy = try StallingProxy(to: server.port)
        var settings = PostgresSchemas.patient
        settings.pingTimeout = .seconds(2)
        let url = try PostgresSchemas.postgresURL(server.url(database: "postgres", port: proxy.port))
        let database = try PostgresDatabase(url, settings)
        proxy.change(to: .stalled)
        // Its other statements would wait for as long as any test may.
        #expect(failure { () throws(StoreError) in try database.ping() }?.kind == .connectionLost)
    }

    @Test func `what is too long for the buffers of a silent server is given up too`() throws {
        let server = try PostgresServer.shared()
        let proxy = try StallingProxy(to: server.port)
        let url = try PostgresSchemas.postgresURL(server.url(database: "postgres", port: proxy.port))
        let database = try hurried(url)
        proxy.change(to: .stalled)
        let text = String(repeating: "x", count: 30_000_000)
        let error = failure { () throws(StoreError) in
            _ = try database.rows("SELECT length($1::text)", [.text(text)])
        }
        #expect(error?.kind == .connectionLost)
    }

    @Test func `an interruption ends a statement, and the server stops working on it`() throws {
        let server = try PostgresServer.shared()
        let name = try server.newDatabase()
        let url = try PostgresSchemas.postgresURL(server.url(database: name))
        let interruption = Interruption()
        let ended = Monitor<StoreError?>(nil)
        let thread = NamedThread(name: "sleeper") {
            do throws(StoreError) {
                let database = try PostgresDatabase(url, PostgresSchemas.patient, interruption: interruption)
                _ = try database.rows("SELECT pg_sleep(10000)", [])
            } catch {
                ended.change { $0 = error }
            }
        }
        let sleeping =
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = '\(name)' AND query LIKE '%sleep(10000)%'"
            + " AND state = 'active' AND pid <> pg_backend_pid()"
        #expect(try eventually { try server.query(sleeping) == "1" })
        interruption.interrupt()
        thread.join()
        // By the interruption, and by no time-out: those of both sides are longer than any wait here.
        #expect(ended.withLock { $0?.kind } == .connectionLost)
        #expect(ended.withLock { $0?.text } == "given up, because lkpush stops")
        #expect(try eventually { try server.query(sleeping) == "0" })
        let later = failure { () throws(StoreError) in
            _ = try PostgresDatabase(url, PostgresSchemas.patient, interruption: interruption)
        }
        #expect(later?.kind == .connectionLost)
    }

    @Test func `several interruptions at once end all their statements, though a server that is silent hears of none`()
        throws
    {
        let server = try PostgresServer.shared()
        let name = try server.newDatabase()
        let proxy = try StallingProxy(to: server.port)
        let silent = try hurried(try PostgresSchemas.postgresURL(server.url(database: name, port: proxy.port)))
        proxy.change(to: .stalled)
        // Its request to end the statement waits for the silent server.
        #expect(failure { () throws(StoreError) in _ = try silent.rows("SELECT 1", []) }?.kind == .connectionLost)
        let url = try PostgresSchemas.postgresURL(server.url(database: name))
        let interruption = Interruption()
        let threads = (0..<2).map { number in
            NamedThread(name: "sleeper") {
                do throws(StoreError) {
                    let database = try PostgresDatabase(url, PostgresSchemas.patient, interruption: interruption)
                    _ = try database.rows("SELECT pg_sleep(2000\(number))", [])
                } catch {}
            }
        }
        let sleeping =
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = '\(name)' AND query LIKE '%sleep(2000%'"
            + " AND state = 'active' AND pid <> pg_backend_pid()"
        #expect(try eventually { try server.query(sleeping) == "2" })
        interruption.interrupt()
        for thread in threads { thread.join() }
        #expect(try eventually { try server.query(sleeping) == "0" })
    }

    @Test func `a connection that an administrator ends is lost, within a transaction too`() throws {
        let server = try PostgresServer.shared()
        let name = try server.newDatabase()
        let url = server.url(database: name)
        for isInTransaction in [false, true] {
            let database = try PostgresSchemas.connect(url)
            try database.runScript("CREATE TABLE IF NOT EXISTS v (x bigint)")
            if isInTransaction {
                try database.begin(.write)
                _ = try database.run("INSERT INTO v VALUES (1)", [])
            }
            try server.terminateConnections(to: name)
            let error = failure { () throws(StoreError) in _ = try database.run("INSERT INTO v VALUES (1)", []) }
            #expect(error?.kind == .connectionLost)
            database.rollBack()
            #expect(failure { () throws(StoreError) in try database.begin(.write) }?.kind == .connectionLost)
        }
        #expect(try PostgresSchemas.connect(url).first("SELECT COUNT(*) FROM v") == [.integer(0)])
    }

    @Test func `a connection that the network ends is lost`() throws {
        let server = try PostgresServer.shared()
        let proxy = try StallingProxy(to: server.port)
        let url = server.url(database: "postgres", port: proxy.port)
        let database = try PostgresSchemas.connect(url)
        proxy.change(to: .cut)
        #expect(failure { () throws(StoreError) in _ = try database.rows("SELECT 1", []) }?.kind == .connectionLost)
        #expect(throws: StoreError.self) { try PostgresSchemas.connect(url) }
        proxy.change(to: .passing(delay: .milliseconds(1)))
        #expect(try PostgresSchemas.connect(url).first("SELECT 1") == [.integer(1)])
    }

    @Test func `a server that may only be read is left, and one without a place refuses`() throws {
        let server = try PostgresServer.shared()
        let name = try server.newDatabase("CONNECTION LIMIT 1")
        let url = server.url(database: name)
        let database = try PostgresSchemas.connect(url)
        let limited = try PostgresSchemas.postgresURL(url)
        let full = failure { () throws(StoreError) in
            _ = try PostgresDatabase(limited, PostgresSchemas.patient)
        }
        #expect(full?.kind == .connectionLost && full?.text.contains("too many connections") == true)
        try database.runScript("CREATE TABLE v (x bigint); SET default_transaction_read_only = on")
        let readOnly = failure { () throws(StoreError) in _ = try database.run("INSERT INTO v VALUES (1)", []) }
        #expect(readOnly?.kind == .connectionLost && readOnly?.code == "25006")
    }

    @Test func `a server that is stopped and started again is lost and found`() throws {
        let server = try PostgresServer(isSynced: true)
        let url = try server.database()
        let database = try PostgresSchemas.connect(url)
        try database.runScript("CREATE TABLE v (x bigint); INSERT INTO v VALUES (1)")
        try server.stop()
        #expect(
            failure { () throws(StoreError) in _ = try database.rows("SELECT x FROM v", []) }?.kind == .connectionLost)
        let error = #expect(throws: StoreError.self) { try PostgresSchemas.connect(url) }
        #expect(error?.kind == .connectionLost && error?.text.contains("refused") == true)
        try server.start()
        #expect(try PostgresSchemas.connect(url).first("SELECT x FROM v") == [.integer(1)])
    }

    @Test func `the URL decides how a server proves who it is`() throws {
        let server = try PostgresServer(isEncrypted: true)
        let url = server.url(database: "postgres")
        let certificate = "sslrootcert=\(server.folder)/server.crt"
        let encrypted = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()"
        for (query, isEncrypted) in [("sslmode=disable", 0), ("sslmode=require", 1), ("sslmode=verify-full&", 1)] {
            let whole = url + "?" + query + (query.hasSuffix("&") ? certificate : "")
            #expect(try PostgresSchemas.connect(whole).first(encrypted) == [.integer(Int64(isEncrypted))], "\(query)")
        }
        let error = #expect(throws: StoreError.self) {
            try PostgresSchemas.connect(url + "?sslmode=verify-full&sslrootcert=/etc/hostname")
        }
        #expect(error?.kind == .connectionLost)
        #expect(throws: StoreError.self) {
            try PostgresSchemas.connect(
                "postgresql://office@localhost:\(server.port)/postgres?sslmode=verify-full&\(certificate)")
        }
    }

    @Test func `no error tells the password`() throws {
        let server = try PostgresServer.shared()
        let proxy = try StallingProxy(to: server.port)
        let (user, right) = (PostgresServer.guardedRole, PostgresServer.password)
        var said: [String] = []
        func attempt(_ text: String) {
            do {
                let url = try PostgresSchemas.postgresURL(text)
                said.append("\(url)")
                dump(url, to: &said[said.count - 1])
                let database = try PostgresDatabase(url, settings(.milliseconds(400)))
                for sql in ["SELECT '\u{1}", "SELECT 1 / 0", "SELECT pg_sleep(2)", "SELECT $1::uuid"] {
                    do { _ = try database.rows(sql, sql.contains("$1") ? [.text("hunter2")] : []) } catch {
                        said.append("\(error)")
                    }
                }
                proxy.change(to: .cut)
                _ = try database.rows("SELECT 1", [])
            } catch {
                said.append("\(error)")
                said.append(String(reflecting: error))
            }
        }
        let places = [
            "127.0.0.1:\(server.port)", "127.0.0.1:\(proxy.port)", "127.0.0.1:1", "[::1",
        ]
        for place in places {
            for password in [right, "wrong-hunter2", "hunter2@x", "hunter2/x", "hunter2?x", "%hunter2", "hunter2:x"] {
                attempt("postgresql://\(user):\(password)@\(place)/postgres")
                attempt("postgresql://\(user)@\(place)/postgres?password=\(password)")
                attempt("postgresql://\(user)@\(place)/postgres?sslpassword=\(password)&sslmode=verify-full")
                attempt("postgresql://\(place)/hunter2none?user=\(user)&password=\(password)&nothing=\(password)")
            }
        }
        let connected = try PostgresSchemas.connect(
            "postgresql://\(user):\(right)@127.0.0.1:\(server.port)/postgres")
        #expect(try connected.first("SELECT current_user") == [.text(user)], "the password is asked for and right")
        #expect(said.count > 250)
        for text in said {
            #expect(
                !text.contains("hunter2@") && !text.contains("hunter2/") && !text.contains("wrong-hunter2"), "\(text)")
            #expect(!text.replacing("hunter2none", with: "").contains("hunter2"), "\(text)")
        }
    }
}
