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
        let problem = #expect(throws: DatabaseURLFault.self) { try StoreDriver.location(of: text) }
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
        _ = try StoreDriver.location(of: text)
    }

    @Test(arguments: ["", "sqlite:", "sqlite://host/x", "mysql://a:hunter2@b/c", "hunter2", "postgres:x", "sqlite"])
    func `anything else is refused without being repeated`(_ text: String) {
        let problem = #expect(throws: DatabaseURLFault.self) { try StoreDriver.location(of: text) }
        #expect(problem?.description.contains("hunter2") == false)
        #expect(problem?.description.contains("expected") == true)
    }

    @Test func `a URL with an unknown scheme is answered with all schemes`() {
        let problem = #expect(throws: DatabaseURLFault.self) { try StoreDriver.location(of: "mysql://host") }
        #expect(problem?.description == "expected sqlite:PATH or postgres://…")
    }

    @Test func `a database that cannot be opened says so when it is opened, not before`() throws {
        let location = try StoreDriver.location(of: "sqlite:/nowhere/office.db")
        let error = #expect(throws: StoreError.self) { try location.open() }
        #expect(error?.kind == .connectionLost)
    }
}
