import Platform
import Storage
import TestSupport
import Testing

/// A look whether the database is there, as every adapter has it.
@Suite struct PingContractTests {
    @Test(arguments: Adapter.allCases)
    func `a ping of a database that is there changes nothing`(_ adapter: Adapter) throws {
        let (store, database) = try ScratchDatabase(adapter).open()
        try store.ping()
        let organization = RowOwner.organization(id: "org_a", name: "A")
        _ = try store.write([Row.session(organization)], at: noon)
        for _ in 0..<3 { try store.ping() }
        #expect(try database.first("SELECT session_count FROM participant_activity_metrics") == [.integer(1)])
    }

    @Test(arguments: Adapter.allCases)
    func `a ping says that the database has gone`(_ adapter: Adapter) throws {
        let scratch = try ScratchDatabase(adapter)
        let (store, database) = try scratch.open()
        try scratch.cut(database)
        // A server takes a moment to end a connection.
        let isNoticed = eventually {
            do throws(StoreError) {
                try store.ping()
                return false
            } catch {
                return error.kind == .connectionLost
            }
        }
        #expect(isNoticed)
    }
}
