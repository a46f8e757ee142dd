extension OfficeStore {
    /// The names of the migrations that `migrate` would apply. Throws where tables that exist do not fit; changes nothing.
    package func pendingMigrations() throws(StoreError) -> [String] {
        try Schema.check(database)
        guard try !database.columns(of: "lkpush_migrations").isEmpty else { return Migration.all.map(\.name) }
        let done = try Set(database.rows("SELECT name FROM lkpush_migrations", []).rows.compactMap { $0.first?.asText })
        return Migration.all.map(\.name).filter { !done.contains($0) }
    }

    /// Throws where rows could not be written for want of a right, or because the database is read-only; changes nothing.
    ///
    /// - Parameter addsOrganizations: organizations do not come from the database.
    package func checkRights(addsOrganizations: Bool) throws(StoreError) {
        var changes: [(table: String, column: String)] = [
            ("participant_activity_metrics", "session_count"), ("recordings", "status"), ("room_presence", "identity"),
            ("lkpush_outbox", "sequence"),
        ]
        if addsOrganizations { changes.append(("organizations", "name")) }
        try database.begin(.write)
        defer { database.rollBack() }
        for (table, column) in changes {
            // Rights are looked at before it is seen that there is no row to change.
            _ = try database.run("INSERT INTO \(table) (\(column)) SELECT \(column) FROM \(table) WHERE 1 = 0", [])
            _ = try database.run("UPDATE \(table) SET \(column) = \(column) WHERE 1 = 0", [])
            if table != "organizations" { _ = try database.run("DELETE FROM \(table) WHERE 1 = 0", []) }
        }
    }
}
