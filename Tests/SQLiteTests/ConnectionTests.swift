import Glibc
import Platform
import SQLite
import TestSupport
import Testing

@Suite struct ConnectionTests {
    let folder = TemporaryFolder()

    private func open(_ change: (inout ConnectionSettings) -> Void = { _ in }) throws(SQLiteError) -> Connection {
        var settings = ConnectionSettings()
        settings.busyTimeout = .milliseconds(20)
        change(&settings)
        return try Connection(path: folder.file("x.db"), settings)
    }

    static let values: [ColumnValue] = [
        .null, .integer(0), .integer(.max), .integer(.min), .double(-0.5), .double(.infinity), .double(1e308),
        .text(""), .text("it's \"quoted\"; DROP TABLE v --"), .text("a\u{0}b"), .text("Zoë 🦊"), .blob([]),
        .blob([0, 255, 39]), .blob([UInt8](repeating: 7, count: 100_000)),
    ]

    @Test(arguments: values)
    func `a value comes back as it went in`(_ value: ColumnValue) throws {
        let connection = try open()
        try connection.execute("CREATE TABLE v (x)")
        try connection.run("INSERT INTO v VALUES (?1)", value)
        var found: [ColumnValue] = []
        try connection.rows("SELECT x FROM v WHERE x IS ?1", value) { found.append($0.value(at: 0)) }
        #expect(found == [value])
    }

    @Test func `what is not a number is kept as null`() throws {
        let connection = try open()
        var found: [ColumnValue] = []
        try connection.rows("SELECT ?1", .double(.nan)) { found.append($0.value(at: 0)) }
        #expect(found == [.null])
    }

    @Test func `columns are read by type, null as zero or empty`() throws {
        let connection = try open()
        let statement = try connection.statement("SELECT 7, 2.5, 'text', x'0102', NULL AS none")
        #expect(try statement.step())
        #expect(statement.int64(at: 0) == 7)
        #expect(statement.double(at: 1) == 2.5)
        #expect(statement.text(at: 2) == "text")
        #expect(statement.bytes(at: 3) == [1, 2])
        #expect(statement.withBytes(at: 3) { $0.count } == 2)
        #expect(statement.isNull(at: 4) && statement.text(at: 4) == "" && statement.bytes(at: 4) == [])
        #expect(statement.columnName(at: 4) == "none" && statement.columnCount == 5)
        #expect(try !statement.step())
    }

    @Test func `named parameters are found by their names`() throws {
        let connection = try open()
        let statement = try connection.statement("SELECT $2, $1, $2")
        #expect(statement.parameter(named: "$1") == 2)
        #expect(statement.parameter(named: "$2") == 1)
        #expect(statement.parameter(named: "$3") == nil)
        #expect(statement.parameterCount == 2)
    }

    @Test func `a kept statement forgets the values of its last use`() throws {
        let connection = try open()
        try connection.rows("SELECT ?1", .integer(1)) { _ in }
        let again = try connection.statement("SELECT ?1")
        #expect(try again.step())
        #expect(again.isNull(at: 0))
    }

    @Test func `a kept statement in the middle of its rows is not shared`() throws {
        let connection = try open()
        let sql = "SELECT 1 UNION ALL SELECT 2"
        let outer = try connection.statement(sql)
        #expect(try outer.step())
        var inner: [Int64] = []
        try connection.rows(sql) { inner.append($0.int64(at: 0)) }
        #expect(inner == [1, 2])
        #expect(try outer.step())
        #expect(outer.int64(at: 0) == 2)
    }

    @Test func `more statements than are kept still work`() throws {
        let connection = try open()
        for number in 0..<(Connection.Limits.keptStatements + 10) {
            var found: Int64 = -1
            try connection.rows("SELECT \(number)") { found = $0.int64(at: 0) }
            #expect(found == Int64(number))
        }
    }

    @Test func `a failed transaction leaves nothing`() throws {
        let connection = try open()
        try connection.execute("CREATE TABLE v (x UNIQUE)")
        try connection.run("INSERT INTO v VALUES (1)")
        let error = #expect(throws: SQLiteError.self) {
            try connection.transaction { () throws(SQLiteError) in
                try connection.run("INSERT INTO v VALUES (2)")
                try connection.run("INSERT INTO v VALUES (?1)", .text("secret"))
                try connection.run("INSERT INTO v VALUES (?1)", .text("secret"))
            }
        }
        #expect(error?.condition == .refused)
        #expect(error?.operation == "step")
        #expect(error?.code == 2067, "the extended code of a unique constraint")
        #expect(error?.description.contains("secret") == false)
        #expect(!connection.isInTransaction)
        var count: Int64 = 0
        try connection.rows("SELECT COUNT(*) FROM v") { count = $0.int64(at: 0) }
        #expect(count == 1)
    }

    @Test func `what is committed is seen by another connection`() throws {
        let one = try open()
        let two = try open()
        try one.execute("CREATE TABLE v (x)")
        let changed = try one.transaction { () throws(SQLiteError) in
            try one.run("INSERT INTO v VALUES (1), (2)")
        }
        #expect(changed == 2)
        var count: Int64 = 0
        try two.rows("SELECT COUNT(*) FROM v") { count = $0.int64(at: 0) }
        #expect(count == 2)
    }

    @Test func `a lock that another holds is busy, and free afterwards`() throws {
        let one = try open()
        let two = try open()
        try one.execute("CREATE TABLE v (x)")
        try one.begin()
        let error = #expect(throws: SQLiteError.self) { try two.begin() }
        #expect(error?.condition == .busy)
        one.rollBack()
        try two.begin()
        try two.commit()
    }

    @Test func `a full device is named, and the connection goes on`() throws {
        let connection = try open()
        try connection.execute("CREATE TABLE v (x); PRAGMA max_page_count = 4")
        let error = #expect(throws: SQLiteError.self) {
            try connection.run("INSERT INTO v VALUES (?1)", .blob([UInt8](repeating: 1, count: 100_000)))
        }
        #expect(error?.condition == .full)
        #expect(!connection.isInTransaction)
        try connection.run("INSERT INTO v VALUES (1)")
    }

    @Test func `a file that is no database is damaged`() throws {
        let file = creat(folder.file("x.db"), 0o600)
        let text = [UInt8](repeating: UInt8(ascii: "x"), count: 4_096)
        #expect(write(file, text, text.count) == text.count)
        close(file)
        let error = #expect(throws: SQLiteError.self) { try open() }
        #expect(error?.condition == .damaged)
    }

    @Test func `a path that cannot be opened is named`() {
        let error = #expect(throws: SQLiteError.self) { try Connection(path: "/nowhere/x.db") }
        #expect(error?.condition == .unreachable)
        #expect(error?.subject == "/nowhere/x.db")
    }

    @Test func `a connection for reading does not write, and makes no file`() throws {
        #expect(throws: SQLiteError.self) { try open { $0.isReadOnly = true } }
        try open().execute("CREATE TABLE v (x)")
        let reader = try open { $0.isReadOnly = true }
        let error = #expect(throws: SQLiteError.self) { try reader.run("INSERT INTO v VALUES (1)") }
        #expect(error?.condition == .readOnly)
    }

    @Test func `a new file is for its user only, and so is its log`() throws {
        let connection = try open()
        try connection.execute("CREATE TABLE v (x)")
        for name in ["x.db", "x.db-wal", "x.db-shm"] {
            var status = stat()
            #expect(stat(folder.file(name), &status) == 0)
            #expect(status.st_mode & 0o777 == 0o600, "\(name)")
        }
    }

    @Test func `a file that was removed is noticed`() throws {
        let connection = try open()
        try connection.execute("CREATE TABLE v (x)")
        #expect(!connection.isMoved)
        unlink(folder.file("x.db"))
        #expect(connection.isMoved)
    }

    @Test func `a statement outlives its connection`() throws {
        let connection = try open()
        let statement = try connection.statement("SELECT 1")
        connection.close()
        #expect(try statement.step())
        #expect(statement.int64(at: 0) == 1)
    }

    @Test func `text without a statement is an error`() throws {
        let connection = try open()
        #expect(throws: SQLiteError.self) { try connection.statement("-- nothing") }
        #expect(throws: SQLiteError.self) { try connection.statement("SELEC 1") }
        #expect(throws: SQLiteError.self) { try connection.execute("SELECT 1; SELEC 2") }
    }

    @Test func `a long text is cut in errors`() throws {
        let connection = try open()
        let error = #expect(throws: SQLiteError.self) {
            try connection.statement("SELEC " + String(repeating: "x", count: 1_000))
        }
        #expect((error?.subject.count ?? .max) <= 120)
    }

    @Test func `an immutable file is read beside who has it alone, without a lock and without a trace`() throws {
        let user = try open { $0.isExclusive = true }
        try user.execute("CREATE TABLE v (x)")
        try user.run("INSERT INTO v VALUES (1)")
        try user.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        try user.run("INSERT INTO v VALUES (2)")
        #expect(throws: SQLiteError.self) {
            try open { $0.isReadOnly = true }.rows("SELECT x FROM v") { _ in }
        }
        let before = try Folder.names(folder.path)
        let reader = try open {
            $0.isReadOnly = true
            $0.isImmutable = true
        }
        var found: [Int64] = []
        try reader.rows("SELECT x FROM v") { found.append($0.int64(at: 0)) }
        reader.close()
        // What is in the log is not read.
        #expect(found == [1])
        #expect(try Folder.names(folder.path) == before)
        try user.run("INSERT INTO v VALUES (3)")
    }

    @Test func `the name of an immutable file may hold what a URI gives a meaning`() throws {
        let path = folder.file("50%25?immutable=0#x")
        let made = try Connection(path: path)
        try made.execute("CREATE TABLE v (x)")
        made.close()
        var settings = ConnectionSettings()
        settings.isReadOnly = true
        settings.isImmutable = true
        #expect(try Connection(path: path, settings).number("SELECT COUNT(*) FROM v") == 0)
    }
}
