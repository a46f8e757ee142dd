import Glibc
import Pipeline
import Platform
import Storage
import Wire

/// The part of `lkpush check` about the database: whether it can be reached, its tables, the rights of the role, policies
/// of row level security, and its clock.
extension Check {
    /// - Parameter room: the name of a room whose organization is looked for; nil for none.
    static func database(_ settings: Settings, room name: String?, _ report: inout CheckReport) {
        var store: ApplicationStore?
        do {
            let location = try StoreDriver.location(of: settings.databaseLocation())
            if let file = location.file, !Folder.exists(file) {
                newFile(location, file, &report)
            } else {
                let opened = ApplicationStore(try location.look(), lookup: try settings.lookup())
                store = opened
                if let file = location.file, access(file, W_OK) != 0 {
                    report.tell(
                        .fault, "database",
                        "\(location): \(SystemError("write", file)). Give the file to the user of lkpush: chown USER \(file)"
                    )
                }
                try examine(opened, at: location, settings, &report)
            }
        } catch {
            let text = plain("\(error)")
            let end = text.hasSuffix("?") || text.hasSuffix(".") ? "" : "."
            report.tell(.fault, "database", "\(text)\(end) \(DatabaseAdvice.of(text))")
        }
        if let name { room(name, settings, store, &report) }
        store?.close()
    }

    private static func newFile(_ location: StoreDriver.Location, _ file: String, _ report: inout CheckReport) {
        let parent = existingParent(of: file)
        if let trouble = Folder.trouble(of: parent, files: []) {
            report.tell(
                .fault, "database",
                "\(location) is not there and cannot be made: \(trouble). Give the folder to the user of lkpush")
        } else {
            report.tell(.ok, "database", "\(location) is not there yet; the start makes it with its tables")
        }
    }

    private static func examine(
        _ store: ApplicationStore, at location: StoreDriver.Location, _ settings: Settings,
        _ report: inout CheckReport
    ) throws {
        let asksForRooms = settings.organizationSource == .database
        let session = try store.session()
        var pending: [String] = []
        var hindrances: [OptionalTable: String] = [:]
        if let session {
            guard isUsable(session, location, &report) else { return }
            let grants = try store.missingGrants(to: session, asksForRooms: asksForRooms)
            if grants.contains(where: { !$0.isOptional }) {
                report.tell(
                    .fault, "database rights",
                    "the role \(session.role) lacks rights, so rows wait and rooms count as unknown. Run as the owner of "
                        + "the tables: \(grants.map(\.statement).joined(separator: " "))")
                // The obstacles are known only if the role may read the list of migrations.
                if let obstacles = try? store.migrationObstacles(for: session) {
                    _ = isMigratable(obstacles, session, (try? store.pendingMigrations()) ?? [], &report)
                }
                return clock(of: store, &report)
            }
            pending = try store.pendingMigrations()
            guard isMigratable(try store.migrationObstacles(for: session), session, pending, &report) else {
                return clock(of: store, &report)
            }
            hindrances = try hindrancesOfOptions(store, session, grants)
        } else {
            pending = try store.pendingMigrations()
        }
        pending.removeAll { name in hindrances.keys.contains { $0.migration == name } }
        if pending.isEmpty {
            try store.checkRights(asksForRooms: asksForRooms)
            report.tell(.ok, "database", "\(location): tables, rights and lookups are in order")
        } else {
            report.tell(
                .ok, "database",
                "\(location): the first start, or lkpush migrate, applies \(pending.joined(separator: ", "))")
        }
        for table in OptionalTable.allCases where !pending.contains(table.migration) {
            guard try !store.isUsable(table) else { continue }
            let cure = hindrances[table] ?? store.withheld(table).map { "It says: \(plain($0.text))" } ?? ""
            report.tell(.flaw, "database rights", "\(StoreThread.warning(withheld: table)). \(cure)")
        }
        policies(try store.guardedTables(asksForRooms: asksForRooms), role: session?.role ?? "", &report)
        clock(of: store, &report)
    }

    /// Tells what keeps this connection from using any table. Returns true if nothing does.
    private static func isUsable(
        _ session: DatabaseSession, _ location: StoreDriver.Location, _ report: inout CheckReport
    ) -> Bool {
        let role = ApplicationStore.quoted(session.role)
        if session.isReadOnly {
            report.tell(
                .fault, "database",
                "\(location): it can only be read (25006), as a standby is, so rows wait. Connect to the primary, best "
                    + "with several hosts and target_session_attrs=read-write in DATABASE_URL, or set "
                    + "default_transaction_read_only to off")
            return false
        }
        guard session.schema == nil else { return true }
        let wanted = session.existingSchemas.first
        let cure =
            if let wanted {
                "Run as its owner: GRANT USAGE, CREATE ON SCHEMA \(ApplicationStore.quoted(wanted)) TO \(role);"
            } else {
                "Make it, as a role that may: CREATE SCHEMA \(ApplicationStore.quoted(session.schemas.last ?? "")) "
                    + "AUTHORIZATION \(role); or name another schema"
            }
        report.tell(
            .fault, "database rights",
            "no schema of search_path (\(session.searchPath)) is there for the role \(session.role), so no table is found "
                + "and none can be made. \(cure)")
        return false
    }

    /// Tells what keeps a start from making the tables. Returns true if nothing does.
    private static func isMigratable(
        _ obstacles: MigrationObstacles, _ session: DatabaseSession, _ pending: [String], _ report: inout CheckReport
    ) -> Bool {
        let role = ApplicationStore.quoted(session.role)
        let later =
            "or run lkpush migrate once as a role that may, then lkpush check again: it prints the rights to grant"
        if !obstacles.uncreatable.isEmpty {
            let schema = session.schema ?? ""
            report.tell(
                .fault, "database rights",
                "the role \(session.role) may not make \(obstacles.uncreatable.joined(separator: ", ")) in the schema "
                    + "\(schema), so rows wait and none is written. Run as the owner of the schema: GRANT CREATE ON SCHEMA "
                    + "\(ApplicationStore.quoted(schema)) TO \(role); \(later)")
        }
        if !obstacles.foreign.isEmpty {
            let tables = obstacles.foreign.joined(separator: ", ")
            report.tell(
                .fault, "database rights",
                "the role \(session.role) does not own \(tables), to which \(pending.joined(separator: ", ")) would add an "
                    + "index, so rows wait and none is written. Run lkpush migrate once as the owner, then lkpush check again: it prints "
                    + "the rights to grant")
        }
        return obstacles.isEmpty
    }

    /// Returns what to do about each optional table that this role may not make or not use.
    private static func hindrancesOfOptions(
        _ store: ApplicationStore, _ session: DatabaseSession, _ grants: [MissingGrant]
    ) throws(StoreError) -> [OptionalTable: String] {
        let making = try store.grantsToMake(as: session)
        let unmade = try store.unmadeTables()
        var cures: [OptionalTable: String] = [:]
        for table in OptionalTable.allCases {
            if unmade.contains(table), !making.isEmpty {
                cures[table] =
                    "Let the role make it, as the owner of the schema: \(making.joined(separator: " ")) or run lkpush "
                    + "migrate once as a role that may, then lkpush check again: it prints the rights to grant"
            } else if let grant = grants.first(where: { $0.isOptional && $0.statement.contains(" \(table.name) TO ") })
            {
                cures[table] = "Run: \(grant.statement)"
            }
        }
        return cures
    }

    private static func policies(_ guarded: [GuardedTable], role: String, _ report: inout CheckReport) {
        guard !guarded.isEmpty else { return }
        let role = ApplicationStore.quoted(role)
        let statements = guarded.map { table in
            "CREATE POLICY lkpush ON \(ApplicationStore.quoted(table.name)) TO \(role) USING (true) WITH CHECK (true);"
        }
        // That may be intended, so it is no error.
        report.tell(
            .flaw, "database policies",
            """
            row level security applies to lkpush's role on \(guarded.map(\.description).joined(separator: ", ")). \
            Rooms and organizations that its policies hide count as unknown, reports leave out what they hide, and rows \
            that they refuse wait. Let the role bypass them, as a superuser: ALTER ROLE \(role) BYPASSRLS; or give it \
            policies that let everything through, as the owner of the tables: \(statements.joined(separator: " "))
            """)
    }

    private static func clock(of store: ApplicationStore, _ report: inout CheckReport) {
        let time = SystemTime()
        let sentAt = time.now()
        // A database that does not tell its time works all the same.
        guard let told = (try? store.now()).flatMap({ $0 }) else { return }
        let now = time.now()
        clock(
            ClockInterval(told: told, roundedTo: .milliseconds(1), receivedAt: now, took: now.since(sentAt)),
            of: "the database", cost: "rows get the wrong time, and days and months begin at the wrong moment",
            "database clock", &report)
    }
}

/// The advice for an error of the database.
private enum DatabaseAdvice {
    /// The words are those of libpq and PostgreSQL in English. In other languages the general advice is given.
    static func of(_ error: String) -> String {
        let advice = [
            ("Connection refused", "Check host and port in DATABASE_URL, and that PostgreSQL runs and listens there."),
            ("could not translate host name", "Check the host in DATABASE_URL, and the name server of this machine."),
            ("password authentication failed", "Check user and password in DATABASE_URL or its file."),
            ("no password supplied", "Add the password to DATABASE_URL, best in a file that DATABASE_URL_FILE names."),
            ("no pg_hba.conf entry", "Add a line for this user, database and address to pg_hba.conf, and reload."),
            ("database \"", "Make it, as a role that may: CREATE DATABASE NAME OWNER ROLE; or correct DATABASE_URL."),
            ("role \"", "Make it, as a role that may: CREATE ROLE NAME LOGIN PASSWORD '...'; or correct DATABASE_URL."),
            ("existing tables do not fit", "Add the columns, or point DATABASE_URL at another database or schema."),
            ("column \"", "Correct ORG_LOOKUP_SQL."), ("the query returns", "Correct ORG_LOOKUP_SQL."),
        ]
        return advice.first { error.contains($0.0) }?.1
            ?? "Check DATABASE_URL, and look at the log of the database."
    }
}
