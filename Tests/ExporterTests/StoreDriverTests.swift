import Exporter
import Storage
import Testing

@Suite struct StoreDriverTests {
    @Test(arguments: [
        "postgres://ann:hunter2@host:hunter2/db", "postgres://ann:hun@ter2@host/db", "postgres://ann:hun/ter2@host/db",
        "postgres://ann:hunter2@host/db?hunter2", "postgres://ann:hunter2@[host/db", "postgres://ann:%zz-hunter2@host/",
        "postgres://ann@host/db?password=hunter2&hunter2=1",
    ])
    func `a URL that libpq does not read as it is meant is refused without being repeated`(_ text: String) throws {
        let url = try DatabaseURL(text)
        let problem = #expect(throws: DatabaseURL.URLFault.self) { try StoreDriver.open(url) }
        let said = problem?.description ?? ""
        #expect(said.contains("expected") || said.contains("libpq"))
        #expect(!said.contains("hunter2") && !said.contains("ter2"))
    }

    @Test(arguments: [
        "postgres://ann:hunter2@host/db", "postgresql:///db?host=/run/postgresql", "postgres://",
        "postgres://a:1,b:2/db?target_session_attrs=read-write",
        "postgres://ann:p%40ss%2Fw@host/db?sslmode=verify-full",
    ])
    func `what libpq reads is taken`(_ text: String) throws {
        _ = try StoreDriver.open(DatabaseURL(text))
    }

    @Test func `a database that cannot be opened says so when it is opened, not before`() throws {
        let open = try StoreDriver.open(DatabaseURL("sqlite:/nowhere/office.db"))
        let error = #expect(throws: StoreError.self) { try open() }
        #expect(error?.kind == .connectionLost)
    }
}
