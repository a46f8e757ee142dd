import HTTPServing
import Platform
import TestSupport
import Testing

@Suite struct ListenTests {
    @Test func `addresses are read as people write them`() throws {
        #expect(try ListenAddress("0.0.0.0:3001") == ListenAddress(host: "0.0.0.0", port: 3001))
        #expect(try ListenAddress("[::1]:0") == ListenAddress(host: "::1", port: 0))
        #expect(try ListenAddress(":9464") == ListenAddress(host: "", port: 9464))
        #expect(try ListenAddress("localhost:80") == ListenAddress(host: "localhost", port: 80))
        #expect(try ListenAddress("[::1]:80").description == "[::1]:80")
    }

    @Test(arguments: [
        "", "3001", "host", "host:", "host:x", "host:-1", "host:65536", "::1:80", "[::1:80", "a b:1", "[]:1",
        "[[::1]:80",
        "[[z3]:6", "a]:1",
    ])
    func `a bad address says what is wrong and what is expected`(text: String) {
        #expect { try ListenAddress(text) } throws: { error in
            guard let error = error as? ServingError, case .badAddress(text, _) = error else { return false }
            return error.description.contains("host:port")
        }
    }

    @Test func `an address in use is named`() throws {
        let first = try Server(listen: ListenAddress("127.0.0.1:0"), routes: [])
        let taken = first.address
        #expect(throws: ServingError.addressInUse(taken.description)) { try Server(listen: taken, routes: []) }
        first.stop(deadline: SystemTime().monotonic())
        let second = try Server(listen: taken, routes: [])
        #expect(second.address == taken)
    }

    @Test func `an address that the machine has not is named`() throws {
        let address = try ListenAddress("192.0.2.1:0")
        #expect(throws: ServingError.noSuchAddress("192.0.2.1:0")) { try Server(listen: address, routes: []) }
    }

    @Test func `a name that does not resolve is a bad address`() throws {
        let address = try ListenAddress("no-such-host.invalid:80")
        #expect { try Server(listen: address, routes: []) } throws: { error in
            guard case .badAddress? = error as? ServingError else { return false }
            return true
        }
    }

    @Test func `every address of the machine includes the loopback one`() throws {
        let server = try Server(
            listen: ListenAddress(":0"), routes: [Route(.get, "/") { _, _ in .respond(.text(200, "all")) }])
        #expect(try RawHTTP(port: server.address.port).ask("GET", "/")?.text == "all")
    }

    @Test func `no more connections are promised than there are descriptors`() throws {
        let few = try Server(listen: ListenAddress("127.0.0.1:0"), routes: [], settings: .init(maxConnections: 10))
        #expect(few.maxConnections == 10)
        let many = try Server(
            listen: ListenAddress("127.0.0.1:0"), routes: [], settings: .init(maxConnections: 1 << 40))
        #expect(many.maxConnections < 1 << 40)
    }

    @Test func `two servers run side by side`() throws {
        let servers = try ["one", "two"].map { name in
            try Server(
                listen: ListenAddress("127.0.0.1:0"), routes: [Route(.get, "/") { _, _ in .respond(.text(200, name)) }])
        }
        let replies = try servers.map { try RawHTTP(port: $0.address.port).ask("GET", "/")?.text }
        #expect(replies == ["one", "two"])
        servers[0].stop(deadline: Waits.end)
        #expect(try RawHTTP(port: servers[1].address.port).ask("GET", "/")?.text == "two")
    }
}
