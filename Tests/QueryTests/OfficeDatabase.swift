import SQLite
import TestSupport

/// The database of the application: organizations, their licences and their rooms.
struct OfficeDatabase {
    struct Organization {
        let id: String
        let name: String
        /// Nil without a licence.
        let limit_minutes: Int?
    }

    /// The organization of rooms that only the provoked troubles use.
    static let troubled = "org_01TROUBLE"
    static let troubledRoom = "00000000-0000-4000-8000-000000000001"
    /// A person whose activity the database refuses.
    static let refusedPerson = 4_242_424_242

    let path: String
    let organizations: [Organization]

    init(_ path: String, _ truth: Truth) throws {
        self.path = path
        let names = ["Acme Corp", "Beta Ltd", "Cargo SE", "Delta \"Home\" AG", "Echo"]
        let limits = [200, 300, nil, 100, 0]
        organizations =
            truth.orgs.enumerated().map { Organization(id: $1, name: names[$0], limit_minutes: limits[$0]) }
            + [Organization(id: Self.troubled, name: "Trouble", limit_minutes: 1_000)]
        try execute(Self.tables)
        for (index, one) in organizations.enumerated() {
            try execute([
                "INSERT INTO organizations VALUES (\(index + 1), '\(one.id)', '\(one.name)')"
            ])
            if let limit = one.limit_minutes {
                try execute(["INSERT INTO org_licenses VALUES (\(index + 1), \(limit))"])
            }
            for room in truth.rooms.filter({ $0.value == one.id }).keys.sorted() {
                try execute(["INSERT INTO rooms VALUES ('\(room)', \(index + 1))"])
            }
        }
        try execute([
            "INSERT INTO rooms VALUES ('\(Self.troubledRoom)', \(organizations.count))",
            // Its last user was there ten days before the day.
            "INSERT INTO participant_activity_metrics VALUES (1, \(organizations.count), '2026-09-18', 60, 1)",
        ])
    }

    private static let tables = [
        "CREATE TABLE organizations (id INTEGER PRIMARY KEY, workos_org_id TEXT UNIQUE, name TEXT)",
        "CREATE TABLE rooms (id TEXT PRIMARY KEY, organization_id INTEGER)",
        "CREATE TABLE org_licenses (organization_id INTEGER PRIMARY KEY, monthly_recording_minutes INTEGER)",
        """
        CREATE TABLE participant_activity_metrics (user_id bigint CHECK (user_id <> \(refusedPerson)),
            organization_id bigint, activity_date date, total_duration_seconds double precision, session_count bigint)
        """,
    ]

    func execute(_ statements: [String]) throws {
        let database = try Connection(path: path)
        defer { database.close() }
        for statement in statements { try database.execute(statement) }
    }

    /// The rows of a query, as text.
    func rows(_ sql: String) throws -> [[String?]] {
        let database = try Connection(path: path)
        defer { database.close() }
        let statement = try database.statement(sql)
        var rows: [[String?]] = []
        while try statement.step() {
            rows.append((0..<statement.columnCount).map { statement.isNull(at: $0) ? nil : statement.text(at: $0) })
        }
        return rows
    }
}
