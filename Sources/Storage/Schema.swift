/// The tables and columns that lkpush needs, and the check of tables that others made.
enum Schema {
    struct Table: Sendable {
        let name: String
        let columns: [String]
        /// lkpush inserts rows into it, so it must know every column that has no default.
        let isWritten: Bool
    }

    static let activity = "participant_activity_metrics"

    static let tables = [
        Table(name: "organizations", columns: ["id", "workos_org_id", "name"], isWritten: false),
        Table(name: "rooms", columns: ["id", "organization_id"], isWritten: false),
        Table(name: "org_licenses", columns: ["organization_id", "monthly_recording_minutes"], isWritten: false),
        Table(
            name: "recordings",
            columns: [
                "egress_id", "room_id", "organization_id", "request_type", "status", "started_at", "ended_at",
                "duration_seconds", "size_bytes", "location", "error", "expires_at",
            ], isWritten: true),
        Table(
            name: "room_presence",
            columns: [
                "participant_sid", "room_sid", "room_id", "organization_id", "user_id", "identity", "joined_at",
            ], isWritten: true),
        Table(
            name: activity,
            columns: ["user_id", "organization_id", "activity_date", "total_duration_seconds", "session_count"],
            isWritten: true),
    ]

    /// Checks the existing tables. One error names everything that does not fit.
    static func check(_ database: any Database) throws(StoreError) {
        var problems: [String] = []
        for table in tables {
            let found = try database.columns(of: table.name)
            if !found.isEmpty { problems += Self.problems(of: table, in: found) }
        }
        guard problems.isEmpty else {
            throw StoreError(
                .other, operation: "check schema",
                text: "existing tables do not fit: " + problems.joined(separator: "; "))
        }
    }

    /// Returns what does not fit in the columns of an existing table.
    static func problems(of table: Table, in found: [TableColumn]) -> [String] {
        var problems: [String] = []
        let names = Set(found.map(\.name))
        let missing = table.columns.filter { !names.contains($0) }
        if !missing.isEmpty { problems.append("\(table.name) lacks \(missing.joined(separator: ", "))") }
        guard table.isWritten else { return problems }
        let strange = found.filter { $0.isRequired && !table.columns.contains($0.name) }.map(\.name)
        if !strange.isEmpty {
            problems.append(
                "\(table.name) needs values that lkpush does not have for \(strange.joined(separator: ", "))")
        }
        return problems
    }

    /// Returns the declared type of a column if it exists, else `otherwise`.
    static func type(
        of column: String, in table: String, else otherwise: String, _ database: any Database
    ) throws(StoreError) -> String {
        let found = try database.columns(of: table).first { $0.name == column }
        return found?.type ?? otherwise
    }
}
