import HTTPServing
import Platform
import TestSupport
import Testing

/// A good client among 10,000 stuck ones gets its answer, whatever they are stuck in: long before any of them is cut for
/// the time that it takes. Within 1 s, where the machine does nothing else.
///
/// One at a time: two crowds would need more descriptors than a process usually may have.
@Suite(.serialized) struct CrowdTests {
    private static let crowd = 10_000

    private func serve(maxConnections: Int) throws -> Server {
        let route = Route(.post, "/count") { _, body in .respond(.text(200, "\(body.count)")) }
        return try Server(
            listen: ListenAddress("127.0.0.1:0"), routes: [route],
            settings: ServerSettings(
                maxConnections: maxConnections, headerTimeout: Self.never, requestTimeout: Self.never,
                idleTimeout: Self.never))
    }

    /// A time-out that no test reaches: who waits for one fails.
    private static let never = Waits.limit * 10

    /// A new client's whole request, from before its connection on.
    private func expectAnswer(_ server: Server, body: Int = 1_100) throws {
        let start = SystemTime().monotonic()
        let client = try RawHTTP(port: server.address.port)
        let reply = client.ask("POST", "/count", body: [UInt8](repeating: 120, count: body))
        #expect(reply?.text == "\(body)")
        #expect(Promptness.holds(since: start, within: .seconds(1)))
    }

    @Test(arguments: [
        "", "POST /count HTTP/1.1\r\nX-Slow: ", "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\nxx",
    ])
    func `a good client is answered while 10,000 that are stuck keep coming`(what: String) throws {
        #expect(RawCrowd.raiseDescriptorLimit(to: Self.crowd + 5_000))
        let server = try serve(maxConnections: 4_000)
        let crowd = RawCrowd(port: server.address.port, saying: what)
        while crowd.count < Self.crowd {
            try crowd.grow(by: Self.crowd / 4)
            try expectAnswer(server)
        }
        try expectAnswer(server)
        #expect(eventually { server.statistics.connections <= 4_000 })
        #expect(server.statistics.connectionsAccepted == Self.crowd + 5)
        #expect(server.statistics.evicted >= 5_900)
        #expect(server.statistics.headerTimeouts + server.statistics.requestTimeouts == 0)
        #expect(server.statistics.refused == 0)
    }

    @Test func `a good client that is connected before the crowd comes is answered among it`() throws {
        #expect(RawCrowd.raiseDescriptorLimit(to: Self.crowd + 5_000))
        let server = try serve(maxConnections: 4_000)
        let client = try RawHTTP(port: server.address.port)
        #expect(client.ask("POST", "/count", body: [1])?.text == "1")
        let crowd = RawCrowd(port: server.address.port)
        while crowd.count < Self.crowd {
            try crowd.grow(by: Self.crowd / 10)
            // The crowd is stuck, and not merely new.
            _ = Monitor(()).wait(until: SystemTime().monotonic() + Limits.stuck) { _ -> Void? in nil }
            let start = SystemTime().monotonic()
            #expect(client.ask("POST", "/count", body: [1, 2])?.text == "2")
            #expect(Promptness.holds(since: start, within: .seconds(1)))
        }
    }

    @Test func `where strangers hold all connections idle a newcomer has time for its request`() throws {
        // It has 100 ms. Where the machine took longer over the others, nothing can be told; then once more.
        var isTold = false
        for _ in 0..<1_000 where !isTold { isTold = try expectTimeForRequest() }
        #expect(isTold)
    }

    /// False where the newcomer had longer than the time that a newcomer has.
    private func expectTimeForRequest() throws -> Bool {
        let server = try serve(maxConnections: 50)
        let idle = try (0..<50).map { _ in try RawHTTP(port: server.address.port) }
        for client in idle { #expect(client.ask("POST", "/count", body: [1])?.text == "1") }
        let start = SystemTime().monotonic()
        let newcomer = try RawHTTP(port: server.address.port)
        #expect(eventually { server.statistics.connectionsAccepted == 51 })
        let crowd = RawCrowd(port: server.address.port)
        try crowd.grow(by: 20)
        #expect(eventually { server.statistics.connectionsAccepted == 71 })
        // Those behind it took the places of idle ones, and not its own.
        let reply = newcomer.ask("POST", "/count", body: [1, 2])
        guard SystemTime().monotonic().since(start) < Limits.stuck else { return false }
        #expect(reply?.text == "2")
        #expect(server.statistics.evicted == 21)
        return true
    }

    @Test func `clients that do not take their answers make room`() throws {
        let page = Response(status: 200, body: [UInt8](repeating: 120, count: 32 << 20))
        let server = try Server(
            listen: ListenAddress("127.0.0.1:0"),
            routes: [
                Route(.get, "/large") { _, _ in .respond(page) },
                Route(.post, "/count") { _, body in .respond(.text(200, "\(body.count)")) },
            ], settings: ServerSettings(maxConnections: 8))
        let crowd = RawCrowd(port: server.address.port, saying: "GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
        try crowd.grow(by: 8)
        #expect(eventually { server.statistics.connections == 8 })
        // Right after their requests they have a claim to their answers, and a newcomer may be refused.
        #expect(
            try eventually {
                try RawHTTP(port: server.address.port).ask("POST", "/count", body: [1])?.text == "1"
            })
        #expect(server.statistics.evicted >= 1)
    }

    @Test func `large bodies that do not end do not keep small ones out`() throws {
        let server = try serve(maxConnections: 100)
        let slow = try (0..<40).map { _ in try RawHTTP(port: server.address.port) }
        for client in slow {
            client.send("POST /count HTTP/1.1\r\nHost: test\r\nContent-Length: \(4 << 20)\r\n\r\n")
            client.send([UInt8](repeating: 120, count: 3 << 20))
            try expectAnswer(server)
        }
        #expect(eventually { server.statistics.connections < 40 })
    }
}
