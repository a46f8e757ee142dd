import SQLite
import TestSupport
import Testing

/// A database of an office, as its application owns it, for tests that must hold on every kind of database.
struct OfficeDatabase {
    /// The kinds of database. A new one is a case here, and a line in each switch below.
    enum Kind: String, CaseIterable, Sendable { case sqlite }

    let kind: Kind
    /// What lkpush is given as `DATABASE_URL`.
    let url: String
    private let file: String

    /// A database of its own in `folder`.
    init(_ kind: Kind, in folder: TemporaryFolder, name: String = "office") throws {
        self.kind = kind
        switch kind {
        case .sqlite:
            file = folder.file(name + ".db")
            url = "sqlite:" + file
        }
    }

    /// A SQLite file that lkpush made by itself.
    init(file: String) {
        kind = .sqlite
        self.file = file
        url = "sqlite:" + file
    }

    /// The rows that a query gives, as text.
    func rows(_ sql: String) throws -> [[String?]] {
        switch kind {
        case .sqlite:
            var settings = ConnectionSettings()
            settings.isReadOnly = true
            settings.busyTimeout = .seconds(10)
            let database = try Connection(path: file, settings)
            defer { database.close() }
            let statement = try database.prepare(sql)
            var rows: [[String?]] = []
            while try statement.step() {
                rows.append((0..<statement.columnCount).map { statement.isNull(at: $0) ? nil : statement.text(at: $0) })
            }
            return rows
        }
    }

    /// Runs statements in one transaction.
    func execute(_ statements: [String]) throws {
        switch kind {
        case .sqlite:
            let database = try Connection(path: file)
            defer { database.close() }
            try database.begin()
            for statement in statements { try database.execute(statement) }
            try database.commit()
        }
    }

    /// Makes the tables, and fills those of the application as they are before lkpush comes.
    ///
    /// - Parameter rooms: the organization of each room, by name.
    func fill(_ rooms: [String: String], in folder: TemporaryFolder) throws {
        let migrated = ChildProcess.run(
            RunningExporter.executable, ["migrate"],
            environment: RunningExporter.environment(folder).merging(["DATABASE_URL": url]) { $1 })
        try #require(migrated.status == 0, "\(migrated.output)")
        var statements: [String] = []
        for (index, organization) in Set(rooms.values).sorted().enumerated() {
            let key = index + 1
            statements.append("INSERT INTO organizations VALUES (\(key), '\(organization)', 'Company \(key)')")
            statements.append("INSERT INTO org_licenses VALUES (\(key), \(key * 100))")
            for room in rooms.filter({ $0.value == organization }).keys.sorted() {
                statements.append("INSERT INTO rooms VALUES ('\(room)', \(key))")
            }
        }
        try execute(statements)
    }
}
