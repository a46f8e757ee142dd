import SQLite
import TestSupport
import Testing

/// A database that belongs to an application, for tests that must hold on every kind of database.
struct ApplicationDatabase {
    /// The kinds of database. A new kind is a case here and a line in each switch below.
    enum Kind: String, CaseIterable, Sendable { case sqlite, postgres }

    let kind: Kind
    /// The value of `DATABASE_URL`.
    let url: String
    /// The path of the file, or the name of the database.
    private let place: String
    private let server: PostgresServer?

    /// Makes a database in `folder`, or on the server that all tests share.
    init(_ kind: Kind, in folder: TemporaryFolder, name: String = "office") throws {
        switch kind {
        case .sqlite: self.init(file: folder.file(name + ".db"))
        case .postgres: try self.init(PostgresServer.shared())
        }
    }

    /// Makes a database on a server. `port` may be that of a proxy.
    init(_ server: PostgresServer, port: UInt16? = nil) throws {
        let name = try server.newDatabase()
        self.init(kind: .postgres, url: server.url(database: name, port: port), place: name, server: server)
    }

    /// Uses an SQLite file.
    init(file: String) { self.init(kind: .sqlite, url: "sqlite:" + file, place: file, server: nil) }

    private init(kind: Kind, url: String, place: String, server: PostgresServer?) {
        (self.kind, self.url, self.place, self.server) = (kind, url, place, server)
    }

    /// The name of the database on its server.
    var name: String { place }

    /// The rows of a query, as text.
    func rows(_ sql: String) throws -> [[String?]] {
        switch kind {
        case .sqlite:
            var settings = ConnectionSettings()
            settings.isReadOnly = true
            settings.busyTimeout = .seconds(10)
            let database = try Connection(path: place, settings)
            defer { database.close() }
            let statement = try database.statement(sql)
            var rows: [[String?]] = []
            while try statement.step() {
                rows.append((0..<statement.columnCount).map { statement.isNull(at: $0) ? nil : statement.text(at: $0) })
            }
            return rows
        case .postgres: return try server?.rows(sql, in: place) ?? []
        }
    }

    /// Runs statements in one transaction.
    func execute(_ statements: [String]) throws {
        switch kind {
        case .sqlite:
            let database = try Connection(path: place)
            defer { database.close() }
            try database.begin()
            for statement in statements { try database.execute(statement) }
            try database.commit()
        case .postgres: try server?.execute(statements, in: place)
        }
    }

    /// Makes the tables, and fills those of the application with the content that they have before lkpush starts. On
    /// PostgreSQL the application makes its own tables, with `uuid` keys.
    ///
    /// - Parameter rooms: the organization of each room, by name.
    func fill(_ rooms: [String: String], in folder: TemporaryFolder) throws {
        if kind == .postgres { try execute(Self.applicationTables) }
        let migrated = ChildProcess.run(
            BuiltProgram.executable, ["migrate"],
            environment: BuiltProgram.environment(folder).merging(["DATABASE_URL": url]) { $1 })
        try #require(migrated.status == 0, "\(migrated.output)")
        var statements: [String] = []
        for (index, organization) in Set(rooms.values).sorted().enumerated() {
            let key = key(index + 1)
            statements.append(
                "INSERT INTO organizations (id, workos_org_id, name) VALUES (\(key), '\(organization)', 'Company \(index)')"
            )
            statements.append("INSERT INTO org_licenses VALUES (\(key), \((index + 1) * 100))")
            for room in rooms.filter({ $0.value == organization }).keys.sorted() {
                statements.append("INSERT INTO rooms (id, organization_id) VALUES ('\(room)', \(key))")
            }
        }
        try execute(statements)
    }

    /// The SQL text of the key of an organization that the application made.
    func key(_ number: Int) -> String {
        kind == .sqlite ? "\(number)" : "'00000000-0000-4000-8000-\(String(number + 100_000_000_000))'"
    }

    private static let applicationTables = [
        "CREATE TABLE organizations (id uuid PRIMARY KEY, workos_org_id text UNIQUE, name text NOT NULL)",
        "CREATE TABLE rooms (id uuid PRIMARY KEY, organization_id uuid REFERENCES organizations (id), title text)",
        """
        CREATE TABLE org_licenses (organization_id uuid REFERENCES organizations (id),
            monthly_recording_minutes integer NOT NULL)
        """,
    ]
}
