/// A table where policies of row level security may keep something from lkpush.
package struct GuardedTable: Sendable, Equatable, CustomStringConvertible {
    package let name: String
    /// What of that which lkpush does, in the order of `SQLCommand.allCases`.
    package let commands: [SQLCommand]

    package init(name: String, commands: [SQLCommand]) {
        self.name = name
        self.commands = commands
    }

    package var description: String { "\(name) (\(commands.map(\.rawValue).joined(separator: ", ")))" }
}

extension ApplicationStore {
    /// The tables that lkpush reads or writes under policies of row level security, as far as they may hide or refuse
    /// anything. Changes nothing; call it outside of a transaction.
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

    /// Policies may hide rows of a table that a query of the user reads. Where it is not found by its name, they may.
    private func isGuarded(_ table: String) throws(StoreError) -> Bool {
        guard try !database.columns(of: table).isEmpty else { return true }
        return try database.policies(on: [table])[table]?.contains(.select) ?? false
    }

    /// What is done to each table.
    private static func uses(asksForRooms: Bool) -> [(table: String, commands: [SQLCommand])] {
        var uses: [(table: String, commands: [SQLCommand])] = asksForRooms ? [("rooms", [.select])] : []
        uses += [
            ("organizations", asksForRooms ? [.select] : [.select, .insert, .update]), ("org_licenses", [.select]),
            ("recordings", [.select, .insert, .update]), ("room_presence", SQLCommand.allCases),
            (Schema.activity, SQLCommand.allCases), ("lkpush_outbox", SQLCommand.allCases),
            (AppliedMark.table, SQLCommand.allCases), ("lkpush_migrations", [.select]), ("lkpush_facts", [.select]),
        ]
        return uses
    }
}
