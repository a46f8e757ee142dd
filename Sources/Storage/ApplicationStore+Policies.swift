/// A table whose policies of row level security may hide or refuse rows for lkpush.
package struct GuardedTable: Sendable, Equatable, CustomStringConvertible {
    package let name: String
    /// The commands of lkpush that the policies may restrict, in the order of `SQLCommand.allCases`.
    package let commands: [SQLCommand]

    package init(name: String, commands: [SQLCommand]) {
        self.name = name
        self.commands = commands
    }

    package var description: String { "\(name) (\(commands.map(\.rawValue).joined(separator: ", ")))" }
}

extension ApplicationStore {
    /// Returns the tables that lkpush reads or writes whose policies of row level security may hide or refuse anything.
    /// Changes nothing. Call it outside of a transaction.
    ///
    /// - Parameter asksForRooms: organizations come from the database.
    package func guardedTables(asksForRooms: Bool) throws(StoreError) -> [GuardedTable] {
        let uses = Self.uses(asksForRooms: asksForRooms && lookup == .standard)
        let policies = try database.policies(on: uses.map(\.table))
        var guarded: [GuardedTable] = []
        for (table, commands) in uses {
            let kept = commands.filter { policies[table, default: []].contains($0) }
            if !kept.isEmpty { guarded.append(GuardedTable(name: table, commands: kept)) }
        }
        if asksForRooms, lookup != .standard, let table = try database.policies(on: lookup),
            !guarded.contains(where: { $0.name == table }), try isGuarded(table)
        {
            guarded.append(GuardedTable(name: table, commands: [.select]))
        }
        return guarded
    }

    /// Returns true if policies may hide rows of a table that a query of the user reads. A table that is not found by
    /// its name counts as one.
    private func isGuarded(_ table: String) throws(StoreError) -> Bool {
        guard try !database.columns(of: table).isEmpty else { return true }
        return try database.policies(on: [table])[table]?.contains(.select) ?? false
    }

    /// The commands that lkpush runs on each table.
    static func uses(asksForRooms: Bool) -> [(table: String, commands: [SQLCommand])] {
        var uses: [(table: String, commands: [SQLCommand])] = asksForRooms ? [("rooms", [.select])] : []
        uses += [
            ("organizations", asksForRooms ? [.select] : [.select, .insert, .update]), ("org_licenses", [.select]),
            ("recordings", [.select, .insert, .update]), ("room_presence", SQLCommand.allCases),
            (Schema.activity, SQLCommand.allCases), ("lkpush_outbox", SQLCommand.allCases),
            (AppliedMark.table, SQLCommand.allCases), (UsageRow.table, OptionalTable.usage.commands),
            ("lkpush_migrations", [.select]), ("lkpush_facts", [.select]),
        ]
        return uses
    }
}
