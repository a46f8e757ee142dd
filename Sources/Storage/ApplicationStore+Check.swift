import Wire

extension ApplicationStore {
    /// Returns the names of the migrations that `migrate` would apply. Throws if existing tables do not fit. Changes
    /// nothing.
    package func pendingMigrations() throws(StoreError) -> [String] {
        try Schema.check(database)
        let pending = try unappliedMigrations()
        // One that somebody dropped is made again.
        let dropped = try unmadeTables().map(\.migration).filter { !pending.contains($0) }
        return pending + dropped
    }

    /// Returns the names of the migrations that the database has not noted as applied.
    func unappliedMigrations() throws(StoreError) -> [String] {
        guard try !database.columns(of: "lkpush_migrations").isEmpty else { return Migration.all.map(\.name) }
        let done = try Set(database.rows("SELECT name FROM lkpush_migrations", []).rows.compactMap { $0.first?.asText })
        return Migration.all.map(\.name).filter { !done.contains($0) }
    }

    /// Throws if lookups, writes or reports would fail for a missing right, or because the database is read-only.
    /// Changes nothing.
    ///
    /// - Parameter asksForRooms: organizations come from the database.
    package func checkRights(asksForRooms: Bool) throws(StoreError) {
        do throws(StoreError) {
            if asksForRooms { _ = try organization(ofRoom: "lkpush check") }
            // Without roles there are no rights, and a connection that only looks cannot begin to write.
            guard database.dialect.hasRoles else { return try planAll() }
            try database.begin(.write)
            defer { database.rollBack() }
            try checkChanges(addsOrganizations: !asksForRooms)
            try planAll()
        } catch {
            throw try named(error)
        }
    }

    private func checkChanges(addsOrganizations: Bool) throws(StoreError) {
        var changes: [(table: String, column: String)] = [
            ("participant_activity_metrics", "session_count"), ("recordings", "status"), ("room_presence", "identity"),
            ("lkpush_outbox", "sequence"),
        ]
        if addsOrganizations { changes.append(("organizations", "name")) }
        for (table, column) in changes {
            // The database checks rights before it finds that there is no row to change.
            _ = try database.run("INSERT INTO \(table) (\(column)) SELECT \(column) FROM \(table) WHERE 1 = 0", [])
            _ = try database.run("UPDATE \(table) SET \(column) = \(column) WHERE 1 = 0", [])
            // lkpush deletes neither organizations nor recordings.
            if table != "organizations" && table != "recordings" {
                _ = try database.run("DELETE FROM \(table) WHERE 1 = 0", [])
            }
        }
    }

    /// Has the database plan every report and every write, because a right may be missing on a single column.
    private func planAll() throws(StoreError) {
        let plan = ApplicationStore(PlanningDatabase(database), lookup: lookup)
        let time = Timestamp(seconds: 1_000_000_000)
        for window in Report.Window.ofActivity { _ = try plan.activity(window, at: time) }
        for window in Report.Window.allCases { _ = try plan.recordings(window, at: time) }
        _ = try plan.presence()
        _ = try plan.licenses()
        _ = try plan.recent(at: time)
        _ = try plan.openPresence()
        _ = try plan.purge(before: CivilDate(time))
        // This text is a valid key of every possible type.
        let type = try Schema.type(of: "id", in: "organizations", else: "bigint", database)
        let owner = RowOwner.key(.text(type == "uuid" ? "00000000-0000-0000-0000-000000000000" : "0"))
        var rows: [StoreRow] = [
            .session(SessionRow(owner: owner, userID: 0, day: CivilDate(time), duration_seconds: 0)),
            .recording(
                RecordingRow(
                    owner: owner, egressID: "lkpush check", roomName: "", requestType: "", status: "", startedAt: nil,
                    endedAt: time, duration_seconds: nil, size_bytes: 0, location: "", error: "", expiresAt: time)),
            .present(
                PresenceRow(
                    owner: owner, participantSID: "lkpush check", roomSID: "", roomName: "", userID: 0, identity: "",
                    joinedAt: time)),
            .absent(participantSID: "lkpush check"),
        ]
        if try isUsable(.usage) {
            rows.append(.usage(UsageRow(owner: owner, day: CivilDate(time), usage: "lkpush check", duration_ms: 0)))
        }
        _ = try plan.write(rows, from: RowOrigin(journal: "lkpush check", firstSequence: 1), at: time)
    }

    /// Returns the error with all missing rights. The database itself names one table, and never a column.
    private func named(_ error: StoreError) throws(StoreError) -> StoreError {
        guard error.code == "42501", !error.isPolicy else { return error }
        var missing: [String] = []
        for table in Schema.tables {
            let columns = try Set(database.columns(of: table.name).map(\.name))
            let withheld = try database.withheldColumns(of: table.name)
            for command in table.isWritten ? [SQLCommand.select, .insert, .update] : [.select] {
                let names = withheld[command, default: []]
                let wanted = table.columns.filter { names.contains($0) }
                if wanted.isEmpty { continue }
                let place = names == columns ? table.name : "\(table.name) (\(wanted.joined(separator: ", ")))"
                missing.append("\(command.rawValue) on \(place)")
            }
        }
        guard !missing.isEmpty else { return error }
        return StoreError(
            error.kind, operation: error.operation,
            text: "\(error.text) (\(error.code)); missing: \(missing.joined(separator: "; "))")
    }
}
