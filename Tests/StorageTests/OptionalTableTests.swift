import StoragePostgres
import TestSupport
import Testing

@testable import Storage

/// Tables without which lkpush works.
@Suite struct OptionalTableTests {
    private func withheld(_ store: ApplicationStore) -> Set<OptionalTable> {
        Set(OptionalTable.allCases).subtracting(store.usable)
    }

    @Test func `each has the migration that makes it, with all its columns and its key`() throws {
        for table in OptionalTable.allCases {
            let migration = try #require(Migration.all.first { $0.name == table.migration })
            #expect(migration.isOptional && migration.table == table.name)
        }
        #expect(Migration.all.count { $0.isOptional } == OptionalTable.allCases.count)
        let (_, database) = try ScratchDatabase(.sqlite).open()
        for table in OptionalTable.allCases {
            #expect(try database.columns(of: table.name).map(\.name) == table.schema.columns)
            #expect(try database.isUnique(table.key, in: table.name))
        }
    }

    @Test(
        arguments: Adapter.allCases,
        [
            ("CREATE TABLE lkpush_usage_daily (organization_id bigint)", "lacks"),
            (
                """
                CREATE TABLE lkpush_usage_daily (organization_id bigint, usage_date date, usage text,
                    seconds double precision, count bigint, billed_minutes bigint, tenant text NOT NULL)
                """, "needs values that lkpush does not have for tenant"
            ),
            (
                """
                CREATE TABLE lkpush_usage_daily (organization_id bigint, usage_date date, usage text,
                    seconds double precision, count bigint, billed_minutes bigint);
                INSERT INTO lkpush_usage_daily VALUES (1, '2026-11-01', 'a', 1, 1, 1), (1, '2026-11-01', 'a', 1, 1, 1)
                """, ""
            ), ("CREATE VIEW lkpush_usage_daily AS SELECT 1 AS organization_id", ""),
        ] as [(String, String)])
    func `a table of others under its name is withheld, and everything else works`(
        _ adapter: Adapter, _ fault: (script: String, says: String)
    ) throws {
        let scratch = try ScratchDatabase(adapter)
        let database = try scratch.connect()
        try database.runScript(fault.script)
        let store = ApplicationStore(database)
        _ = try store.migrate(at: noon)
        #expect(withheld(store) == [.usage])
        #expect(store.withheld(.usage)?.description.isEmpty == false && store.withheld(.positions) == nil)
        #expect(try !store.isUsable(.usage))
        #expect(
            store.withheld(.usage)?.text.contains(fault.says) == true, "\(String(describing: store.withheld(.usage)))")
        let owner = RowOwner.organization(id: "a", name: "A")
        #expect(try store.write([Row.session(owner)], at: noon).written == 1)
        // Whoever mends it needs no restart.
        let kind = fault.script.contains("VIEW") ? "VIEW" : "TABLE"
        try database.runScript("DROP \(kind) lkpush_usage_daily")
        try store.lookAtOptions(at: noon)
        #expect(withheld(store) == [] && store.withheld(.usage) == nil)
    }

    @Test func `each is withheld by itself, until it is made and the right is given`() throws {
        let server = try PostgresServer.shared()
        let name = try server.newDatabase()
        let owner = ApplicationStore(try PostgresSchemas.connect(server.url(database: name)))
        _ = try owner.migrate(at: noon)
        let role = "worker_of_\(name)"
        try server.query(
            """
            CREATE ROLE \(role) LOGIN; DROP TABLE lkpush_usage_daily; GRANT ALL ON ALL TABLES IN SCHEMA public TO \(role);
            DELETE FROM lkpush_migrations WHERE name LIKE '000040%';
            """, in: name)
        let store = ApplicationStore(try PostgresSchemas.connect(server.url(database: name, user: role)))
        #expect(try store.migrate(at: noon) == [])
        #expect(withheld(store) == [.usage])
        #expect(store.withheld(.usage)?.code == StoreError.forbidden)
        let refusals = server.log.ranges(of: "permission denied for schema public").count
        func look() throws -> Set<OptionalTable> {
            try store.lookAtOptions(at: noon)
            return withheld(store)
        }
        #expect(try look() == [.usage])
        #expect(server.log.ranges(of: "permission denied for schema public").count == refusals, "asked and not tried")
        let session = try #require(try store.session())
        #expect(try store.unmadeTables() == [.usage])
        #expect(try store.grantsToMake(as: session) == ["GRANT CREATE ON SCHEMA public TO \(role);"])
        #expect(try owner.migrate(at: noon) == ["000040_lkpush_usage_daily"])
        #expect(try look() == [.usage])
        #expect(store.withheld(.usage)?.text == "permission denied: SELECT, INSERT, UPDATE on table lkpush_usage_daily")
        let grants = try store.missingGrants(to: session, asksForRooms: false)
        #expect(grants.map(\.statement) == ["GRANT SELECT, INSERT, UPDATE ON lkpush_usage_daily TO \(role);"])
        #expect(grants.allSatisfy { $0.isOptional })
        try server.query(
            """
            GRANT SELECT ON lkpush_usage_daily TO \(role);
            GRANT INSERT, UPDATE (organization_id, usage_date, usage, seconds, count) ON lkpush_usage_daily TO \(role)
            """, in: name)
        #expect(try look() == [.usage], "a column is missing")
        try server.query("GRANT UPDATE (billed_minutes) ON lkpush_usage_daily TO \(role)", in: name)
        #expect(try look() == [])
        try server.query("REVOKE DELETE ON lkpush_outbox_positions FROM \(role)", in: name)
        #expect(try look() == [.positions])
    }

    @Test func `a role that is allowed to make it meanwhile does so`() throws {
        let server = try PostgresServer.shared()
        let name = try server.newDatabase()
        _ = try ApplicationStore(try PostgresSchemas.connect(server.url(database: name))).migrate(at: noon)
        let role = "maker_of_\(name)"
        try server.query(
            """
            CREATE ROLE \(role) LOGIN; DROP TABLE lkpush_usage_daily; GRANT ALL ON ALL TABLES IN SCHEMA public TO \(role);
            DELETE FROM lkpush_migrations WHERE name LIKE '000040%'; REVOKE INSERT ON lkpush_migrations FROM \(role)
            """, in: name)
        let store = ApplicationStore(try PostgresSchemas.connect(server.url(database: name, user: role)))
        _ = try store.migrate(at: noon)
        let grants = try store.grantsToMake(as: try #require(try store.session()))
        #expect(
            grants == [
                "GRANT CREATE ON SCHEMA public TO \(role);", "GRANT INSERT ON lkpush_migrations TO \(role);",
            ])
        for grant in grants {
            #expect(withheld(store) == [.usage])
            try server.query(grant, in: name)
            try store.lookAtOptions(at: noon)
        }
        #expect(withheld(store) == [])
        #expect(try store.session()?.mayCreate == true)
    }
}
