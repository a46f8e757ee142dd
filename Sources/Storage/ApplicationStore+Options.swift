package import Wire

// Tables that lkpush can do without. Whether they can be used is asked and not tried: a read-only database ends the
// session of whoever tries, and a server logs every attempt.

extension ApplicationStore {
    /// The reason why an optional table cannot be used. Nil if it can, and before anybody asked.
    package func withheld(_ table: OptionalTable) -> StoreError? { withheldTables[table] }

    /// Finds out whether an optional table exists and fits, and whether this role has the rights that it needs. It asks
    /// the catalog alone: nothing is locked or changed.
    package func isUsable(_ table: OptionalTable) throws(StoreError) -> Bool {
        guard let fault = try fault(of: table) else {
            withheldTables[table] = nil
            return true
        }
        withheldTables[table] = fault
        return false
    }

    /// Looks at the optional tables again, and makes those that are missing where the role has been allowed to
    /// meanwhile. Call it on a store that was migrated.
    package func lookAtOptions(at now: Timestamp) throws(StoreError) {
        // A role that may create nothing would leave an error in the server's log at each look.
        if try !unmadeTables().isEmpty, try mayMakeTables() {
            _ = try migrateOptions(at: now)
        } else {
            try findUsable()
        }
    }

    private func mayMakeTables() throws(StoreError) -> Bool {
        guard let session = try session() else { return true }
        if session.isReadOnly { return false }
        return try grantsToMake(as: session).isEmpty
    }

    private func findUsable() throws(StoreError) {
        for table in OptionalTable.allCases {
            if try isUsable(table) { usable.insert(table) } else { usable.remove(table) }
        }
    }

    /// Applies the optional migrations as far as the role may, and finds out which tables can be used. Returns the
    /// names of the migrations that it applied.
    func migrateOptions(at now: Timestamp) throws(StoreError) -> [String] {
        var applied: [String] = []
        var refusals: [String: StoreError] = [:]
        let done = try migrationsDone()
        for migration in Migration.all where migration.isOptional {
            if done.contains(migration.name), try database.exists(migration.table) { continue }
            do throws(StoreError) {
                let isNew = try database.transaction(.migration) { () throws(StoreError) in
                    try apply(migration, at: now)
                }
                if isNew { applied.append(migration.name) }
            } catch {
                guard error.isAboutSchema else { throw error }
                refusals[migration.table] = error
            }
        }
        try findUsable()
        for table in OptionalTable.allCases {
            guard let fault = withheldTables[table], let refusal = refusals[table.name] else { continue }
            withheldTables[table] = StoreError(
                refusal.kind, operation: fault.operation, code: refusal.code, text: "\(fault.text); \(refusal.text)")
        }
        return applied
    }

    private func fault(of table: OptionalTable) throws(StoreError) -> StoreError? {
        let columns = try database.columns(of: table.name)
        if columns.isEmpty { return unusable("table \(table.name) is missing") }
        if let problem = Schema.problems(of: table.schema, in: columns).first { return unusable(problem) }
        guard try database.isUnique(table.key, in: table.name) else {
            return unusable("table \(table.name) has no unique index of \(table.key.joined(separator: ", "))")
        }
        let withheld = try database.withheldColumns(of: table.name)
        let missing = table.commands.filter { !withheld[$0, default: []].isDisjoint(with: table.schema.columns) }
        if missing.isEmpty { return nil }
        let words = missing.map(\.rawValue).joined(separator: ", ")
        return unusable("permission denied: \(words) on table \(table.name)", code: StoreError.forbidden)
    }

    private func unusable(_ text: String, code: String = "") -> StoreError {
        StoreError(.other, operation: "use table", code: code, text: text)
    }
}

extension StoreError {
    /// What is wrong is about the tables or the rights, and stays so until somebody changes them: a right or a column
    /// that is missing, rows that break a key, an object of another kind. In SQLite every error of a statement's text
    /// has the code 1. https://www.postgresql.org/docs/15/errcodes-appendix.html
    fileprivate var isAboutSchema: Bool {
        ["42", "23"].contains { code.hasPrefix($0) } || code == "sqlite 1"
            || kind == .refused && code.hasPrefix("sqlite")
    }
}
