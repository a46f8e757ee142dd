/// The connection as the database sees it: who it is, and where it looks for tables.
package struct DatabaseSession: Sendable, Equatable {
    package let role: String
    /// The schema in which tables are made. Nil if none of `searchPath` is there for this role.
    package let schema: String?
    /// The setting `search_path`, as it was given.
    package let searchPath: String
    /// The schemas that `searchPath` names.
    package let schemas: [String]
    /// Those of them that exist, whether this role may use them or not.
    package let existingSchemas: [String]
    /// True if tables can be made in `schema`.
    package let mayCreate: Bool
    /// True if nothing can be written, as on a standby.
    package let isReadOnly: Bool
}

/// A right on a table that the role lacks.
package struct MissingGrant: Sendable, Equatable {
    /// The statement that gives it, to be run by the owner of the table.
    package let statement: String
    /// lkpush works without it, only with less.
    package let isOptional: Bool
}

/// The reasons for which this connection cannot apply the migrations that are left.
package struct MigrationObstacles: Sendable, Equatable {
    /// The tables and indexes that the role may not create, because it may create nothing in the schema.
    package internal(set) var uncreatable: [String] = []
    /// Existing tables that need an index, and belong to another role. Only their owner can add one.
    package internal(set) var foreign: [String] = []

    package var isEmpty: Bool { uncreatable.isEmpty && foreign.isEmpty }
}

/// Questions about rights. They are asked of the catalog of the database: nothing is tried, locked or changed.
extension ApplicationStore {
    /// Returns what the database says about this connection. Nil for a database without roles.
    package func session() throws(StoreError) -> DatabaseSession? {
        guard database.dialect.hasRoles else { return nil }
        let answer = try database.rows(
            """
            SELECT current_user::text, current_schema()::text, current_setting('search_path'),
                COALESCE(has_schema_privilege(current_schema(), 'CREATE'), false)::text,
                (current_setting('transaction_read_only') = 'on' OR pg_is_in_recovery())::text
            """, [])
        guard let row = answer.rows.first, let role = row[0].asText, let path = row[2].asText else { return nil }
        let names = path.split(separator: ",").map { name in
            let name = name.split(separator: " ").joined(separator: " ").filter { $0 != "\"" }
            return name == "$user" ? role : name
        }
        var existing: [String] = []
        for name in names {
            let found = try database.rows("SELECT 1 FROM pg_namespace WHERE nspname = $1", [.text(name)])
            if !found.rows.isEmpty { existing.append(name) }
        }
        return DatabaseSession(
            role: role, schema: row[1].asText, searchPath: path, schemas: names, existingSchemas: existing,
            mayCreate: row[3].asText == "true", isReadOnly: row[4].asText == "true")
    }

    /// Returns the rights that the role of `session` lacks on the tables that exist.
    ///
    /// - Parameter asksForRooms: organizations come from the database.
    package func missingGrants(
        to session: DatabaseSession, asksForRooms: Bool
    ) throws(StoreError) -> [MissingGrant] {
        let role = Self.quoted(session.role)
        var grants: [MissingGrant] = []
        for (table, commands) in try uses(asksForRooms: asksForRooms) {
            let all = try Set(database.columns(of: table).map(\.name))
            if all.isEmpty { continue }
            let known = Schema.tables + OptionalTable.allCases.map(\.schema)
            let needed = known.first { $0.name == table }.map { Set($0.columns) } ?? all
            let withheld = try database.withheldColumns(of: table)
            let missing = commands.filter { !withheld[$0, default: []].isDisjoint(with: needed) }
            if missing.isEmpty { continue }
            let words = missing.map(\.rawValue).joined(separator: ", ")
            grants.append(
                MissingGrant(
                    statement: "GRANT \(words) ON \(Self.quoted(table)) TO \(role);",
                    isOptional: OptionalTable.allCases.contains { $0.name == table }))
        }
        return grants
    }

    /// The commands that lkpush runs on each table, those of migrations that are left among them.
    private func uses(asksForRooms: Bool) throws(StoreError) -> [(table: String, commands: [SQLCommand])] {
        var uses = Self.uses(asksForRooms: asksForRooms && lookup == .standard)
        let isMigrated: Bool
        do throws(StoreError) {
            isMigrated = try self.isMigrated()
        } catch {
            // The role may not read the list: that right is among those that are missing.
            guard error.code == StoreError.forbidden else { throw error }
            isMigrated = true
        }
        for (place, use) in uses.enumerated() where !isMigrated {
            if ["lkpush_migrations", "lkpush_facts"].contains(use.table) { uses[place].commands.append(.insert) }
        }
        return uses
    }

    /// Returns what keeps this connection from applying the migrations that are left.
    package func migrationObstacles(for session: DatabaseSession) throws(StoreError) -> MigrationObstacles {
        var obstacles = MigrationObstacles()
        if !session.mayCreate {
            for table in ["lkpush_migrations", "lkpush_facts"] where try !database.exists(table) {
                obstacles.uncreatable.append(table)
            }
        }
        let pending = try Set(unappliedMigrations())
        for migration in Migration.all where pending.contains(migration.name) && !migration.isOptional {
            let table = migration.table
            if try database.columns(of: table).isEmpty {
                // Its indexes are migrations of their own.
                if !session.mayCreate, !obstacles.uncreatable.contains(table) { obstacles.uncreatable.append(table) }
                continue
            }
            var isComplete = try isMade(migration)
            if isComplete, let key = migration.key { isComplete = try database.isUnique(key.columns, in: key.table) }
            if !isComplete, !session.mayCreate { obstacles.uncreatable.append("an index of \(table)") }
            if !isComplete, !obstacles.foreign.contains(table), try !owns(table) { obstacles.foreign.append(table) }
        }
        return obstacles
    }

    /// Returns the optional tables that nobody has made.
    package func unmadeTables() throws(StoreError) -> [OptionalTable] {
        var unmade: [OptionalTable] = []
        for table in OptionalTable.allCases where try !database.exists(table.name) { unmade.append(table) }
        return unmade
    }

    /// Returns the statements without which the role of `session` cannot make an optional table. None if it can.
    package func grantsToMake(as session: DatabaseSession) throws(StoreError) -> [String] {
        let role = Self.quoted(session.role)
        var grants: [String] = []
        if !session.mayCreate {
            grants.append("GRANT CREATE ON SCHEMA \(Self.quoted(session.schema ?? "")) TO \(role);")
        }
        let withheld = try database.withheldColumns(of: "lkpush_migrations")[.insert] ?? []
        if !withheld.isEmpty { grants.append("GRANT INSERT ON lkpush_migrations TO \(role);") }
        return grants
    }

    private func owns(_ table: String) throws(StoreError) -> Bool {
        let answer = try database.rows(
            """
            SELECT CASE WHEN pg_has_role(relowner, 'USAGE') THEN 1 ELSE 0 END FROM pg_class WHERE oid = to_regclass($1)
            """, [.text(table)])
        return answer.rows.first?.first?.asInteger == 1
    }

    /// A name as SQL has it, in quotation marks where it needs them.
    package static func quoted(_ name: String) -> String {
        let isPlain =
            name.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x5F }
            && name.utf8.first.map { !(0x30...0x39).contains($0) } ?? false
        if isPlain && !reserved.contains(name) { return name }
        let parts = name.split(separator: "\"", omittingEmptySubsequences: false)
        return "\"" + parts.joined(separator: "\"\"") + "\""
    }

    /// Reserved words that people use as names of roles and schemas.
    private static let reserved: Set = ["all", "default", "group", "primary", "session_user", "table", "user"]
}
