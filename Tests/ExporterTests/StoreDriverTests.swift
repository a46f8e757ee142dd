import Exporter
import Storage
import Testing

@Suite struct StoreDriverTests {
    @Test func `PostgreSQL is recognised and said not to be available`() throws {
        let url = try DatabaseURL("postgres://ann:hunter2@host/db")
        let problem = #expect(throws: DatabaseURL.Problem.self) { try StoreDriver.open(url) }
        #expect(problem?.description.contains("not available in this version") == true)
        #expect(problem?.description.contains("hunter2") == false)
    }

    @Test func `a database that cannot be opened says so when it is opened, not before`() throws {
        let open = try StoreDriver.open(DatabaseURL("sqlite:/nowhere/office.db"))
        let error = #expect(throws: StoreError.self) { try open() }
        #expect(error?.kind == .connectionLost)
    }
}
