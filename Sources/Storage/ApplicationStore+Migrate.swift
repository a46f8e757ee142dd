package import Wire

extension ApplicationStore {
    /// Creates or upgrades the schema. Returns the names of the migrations that it applied.
    ///
    /// Each migration is applied once, in a transaction of its own under a lock. So several processes may start
    /// together, and an interrupted migration goes on where it stopped. Existing tables are checked first: one error
    /// names everything that does not fit.
    package func migrate(at now: Timestamp) throws(StoreError) -> [String] {
        if try isMigrated() {
            try Schema.check(database)
            return try migrateOptions(at: now)
        }
        try database.transaction(.migration) { () throws(StoreError) in
            try Schema.check(database)
            try prepareMigrations()
        }
        var applied: [String] = []
        for migration in Migration.all where !migration.isOptional {
            let isNew = try database.transaction(.migration) { () throws(StoreError) in
                try apply(migration, at: now)
            }
            if isNew { applied.append(migration.name) }
        }
        return try applied + migrateOptions(at: now)
    }

    /// Returns true if the activity table existed before lkpush. Then its rows belong to somebody else, and only a
    /// setting may delete them.
    package func isActivityForeign() throws(StoreError) -> Bool {
        let answer = try database.rows(
            "SELECT value FROM lkpush_facts WHERE name = $1", [.text(Self.activityExisted)])
        return answer.rows.first?.first?.asText == "true"
    }

    /// Returns true if no migration is left to apply. It looks without a lock, so that an ordinary start waits for
    /// nobody.
    func isMigrated() throws(StoreError) -> Bool {
        guard try !database.columns(of: "lkpush_migrations").isEmpty else { return false }
        let done = try migrationsDone()
        return Migration.all.allSatisfy { $0.isOptional || done.contains($0.name) }
    }

    func migrationsDone() throws(StoreError) -> Set<String> {
        try Set(database.rows("SELECT name FROM lkpush_migrations", []).rows.compactMap { $0.first?.asText })
    }

    /// Creates lkpush's own tables, and records which tables existed before the first migration.
    private func prepareMigrations() throws(StoreError) {
        if try !database.exists("lkpush_migrations") {
            try database.runScript(
                """
                CREATE TABLE lkpush_migrations (
                    name text PRIMARY KEY, applied_at \(database.dialect.timestamp) NOT NULL)
                """)
        }
        if try !database.exists("lkpush_facts") {
            try database.runScript("CREATE TABLE lkpush_facts (name text PRIMARY KEY, value text NOT NULL)")
        }
        let existed = try !database.columns(of: Schema.activity).isEmpty
        _ = try database.run(
            "INSERT INTO lkpush_facts (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            [.text(Self.activityExisted), .text(String(existed))])
    }

    func apply(_ migration: Migration, at now: Timestamp) throws(StoreError) -> Bool {
        let done = try database.rows("SELECT 1 FROM lkpush_migrations WHERE name = $1", [.text(migration.name)])
        // Somebody may have dropped an optional table: then it begins anew.
        if !done.rows.isEmpty {
            guard migration.isOptional, try !database.exists(migration.table) else { return false }
        }
        if try !isMade(migration) { try make(migration) }
        if let key = migration.key, try !database.isUnique(key.columns, in: key.table) {
            try database.runScript(
                "CREATE UNIQUE INDEX \(key.indexName) ON \(key.table) (\(key.columns.joined(separator: ", ")))")
        }
        if done.rows.isEmpty {
            _ = try database.run(
                "INSERT INTO lkpush_migrations (name, applied_at) VALUES ($1, $2)", [.text(migration.name), .time(now)])
        }
        return true
    }

    /// Returns true if everything exists that the migration creates. Even `CREATE … IF NOT EXISTS` needs the right to
    /// create.
    func isMade(_ migration: Migration) throws(StoreError) -> Bool {
        for name in migration.makes {
            if try !database.exists(name) { return false }
        }
        return true
    }

    private func make(_ migration: Migration) throws(StoreError) {
        let organizationID = try Schema.type(of: "id", in: "organizations", else: "bigint", database)
        let roomID = try Schema.type(of: "id", in: "rooms", else: "text", database)
        try database.runScript(
            migration.text(dialect: database.dialect, organizationID: organizationID, roomID: roomID))
    }

    private static var activityExisted: String { "activity_table_existed" }
}
