import SQLite
import Storage
import StorageSQLite
import TestSupport
import Testing
import Wire

/// What only the SQLite adapter promises.
@Suite struct SQLiteDatabaseTests {
    let folder = TemporaryFolder()

    private func mode() throws -> String {
        var mode = ""
        var settings = ConnectionSettings()
        settings.usesWriteAheadLog = false
        try Connection(path: folder.file("x.db"), settings).rows("PRAGMA journal_mode") { mode = $0.text(at: 0) }
        return mode
    }

    @Test func `a new file gets a write-ahead log`() throws {
        _ = try SQLiteDatabase(path: folder.file("x.db"))
        #expect(try mode() == "wal")
    }

    @Test func `the file of another application keeps its journal mode`() throws {
        var settings = ConnectionSettings()
        settings.usesWriteAheadLog = false
        try Connection(path: folder.file("x.db"), settings).execute("CREATE TABLE theirs (x)")
        _ = try ApplicationStore(SQLiteDatabase(path: folder.file("x.db"))).migrate(at: noon)
        #expect(try mode() == "delete")
    }

    @Test func `times and days are text that compares and that SQLite reads`() throws {
        let database = try SQLiteDatabase(path: folder.file("x.db"))
        let values: [SQLValue] = [.time(noon), .day(today)]
        #expect(
            try database.rows("SELECT $1, $2, unixepoch($1), date($2, '+1 day')", values).rows
                == [
                    [
                        .text("2026-09-28T12:00:00.000Z"), .text("2026-09-28"), .integer(noon.milliseconds / 1_000),
                        .text("2026-09-29"),
                    ]
                ])
    }

    @Test func `parameters are found by number, whatever their order`() throws {
        let database = try SQLiteDatabase(path: folder.file("x.db"))
        for _ in 0..<2 {
            #expect(
                try database.rows("SELECT $2, $1, $2, $3", [.integer(1), .integer(2), .null]).rows
                    == [[.integer(2), .integer(1), .integer(2), .null]])
        }
        #expect(throws: StoreError.self) { try database.rows("SELECT $1, $2", [.integer(1)]) }
        #expect(throws: StoreError.self) { try database.rows("SELECT $1, ?", [.integer(1)]) }
        #expect(throws: StoreError.self) { try database.rows("SELECT 1", [.integer(1)]) }
    }

    @Test func `the words of a trigger stay in the database`() throws {
        let database = try SQLiteDatabase(path: folder.file("x.db"))
        try database.runScript(
            """
            CREATE TABLE t (x);
            CREATE TRIGGER no BEFORE INSERT ON t BEGIN SELECT RAISE(ABORT, 'not Ann'); END
            """)
        do throws(StoreError) {
            _ = try database.run("INSERT INTO t VALUES ($1)", [.text("Ann")])
            Issue.record("the trigger refuses")
        } catch {
            #expect(error.kind == .refused)
            #expect(
                error.description
                    == "step INSERT INTO t VALUES ($1): an exception was raised in a trigger (sqlite 1811)")
        }
    }

    @Test func `trouble has its kind`() throws {
        let database = try SQLiteDatabase(path: folder.file("x.db"), busyTimeout: .milliseconds(10))
        try database.runScript("CREATE TABLE v (x UNIQUE)")
        func kind(_ body: () throws(StoreError) -> Void) -> StoreError.Kind? {
            do throws(StoreError) { try body() } catch { return error.kind }
            return nil
        }
        _ = try database.run("INSERT INTO v VALUES ($1)", [.integer(1)])
        #expect(
            kind { () throws(StoreError) in _ = try database.run("INSERT INTO v VALUES ($1)", [.integer(1)]) }
                == .refused)
        #expect(kind { () throws(StoreError) in try database.runScript("SELEC") } == .other)
        let other = try Connection(path: folder.file("x.db"))
        try other.begin(.immediate)
        #expect(kind { () throws(StoreError) in try database.begin(.write) } == .other)
        other.rollBack()
        let removed = ChildProcess.run("/bin/rm", [folder.file("x.db")])
        #expect(removed.status == 0)
        #expect(kind { () throws(StoreError) in try database.begin(.write) } == .connectionLost)
        #expect(kind { () throws(StoreError) in _ = try database.rows("SELECT 1", []) } == .connectionLost)
        #expect(kind { () throws(StoreError) in _ = try SQLiteDatabase(path: folder.path) } == .connectionLost)
    }
}
