import HTTPServing
import Platform
import Synchronization
import TestSupport
import Testing

/// Clients that are broken or hostile; after each the server must still serve others.
@Suite struct AbuseTests {
    private final class Refusals: Sendable {
        let tooLarge = Atomic(0)
        let noMemory = Atomic(0)
    }

    private func serve(_ settings: ServerSettings, _ refusals: Refusals = Refusals()) throws -> Server {
        let route = Route(
            .post, "/count",
            onRefusal: { refusal in
                switch refusal {
                case .bodyTooLarge: refusals.tooLarge.add(1, ordering: .relaxed)
                case .noMemory: refusals.noMemory.add(1, ordering: .relaxed)
                }
            },
            handler: { _, body in .respond(.text(200, "\(body.count)")) })
        return try Server(listen: ListenAddress("127.0.0.1:0"), routes: [route], settings: settings)
    }

    private func expectAlive(_ server: Server) throws {
        #expect(try RawHTTP(port: server.address.port).ask("POST", "/count", body: [1, 2])?.text == "2")
    }

    @Test func `5 MiB with a length are refused with 413 although the client sends on`() throws {
        let refusals = Refusals()
        let server = try serve(ServerSettings(), refusals)
        let client = try RawHTTP(port: server.address.port)
        client.send(RawHTTP.request("POST", "/count", body: [UInt8](repeating: 120, count: 5 << 20)))
        #expect(client.receive()?.status == 413)
        #expect(refusals.tooLarge.load(ordering: .relaxed) == 1)
        try expectAlive(server)
    }

    @Test func `5 MiB in pieces are refused with 413 at the limit`() throws {
        let refusals = Refusals()
        let server = try serve(ServerSettings(), refusals)
        let client = try RawHTTP(port: server.address.port)
        let pieces = [[UInt8]](repeating: [UInt8](repeating: 120, count: 65_536), count: 80)
        client.send(RawHTTP.chunkedRequest("POST", "/count", pieces: pieces))
        #expect(client.receive()?.status == 413)
        #expect(client.isClosed())
        #expect(refusals.tooLarge.load(ordering: .relaxed) == 1)
        try expectAlive(server)
    }

    @Test func `a body in pieces that never ends is refused and then cut`() throws {
        let server = try serve(ServerSettings(maxBody: .kibibytes(64)))
        let client = try RawHTTP(port: server.address.port)
        client.send("POST /count HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\n")
        let piece = Array("1000\r\n".utf8) + [UInt8](repeating: 120, count: 4_096) + [0x0D, 0x0A]
        var sent = 0
        while client.send(piece) && sent < 64 << 20 { sent += piece.count }
        #expect(sent < 64 << 20)
        try expectAlive(server)
    }

    @Test func `a length beyond all numbers is refused`() throws {
        let server = try serve(ServerSettings())
        for length in ["9223372036854775807", "9223372036854775808", "99999999999999999999999"] {
            let client = try RawHTTP(port: server.address.port)
            client.send("POST /count HTTP/1.1\r\nHost: test\r\nContent-Length: \(length)\r\n\r\n")
            let reply = try #require(client.receive())
            #expect(reply.status == 413 || reply.status == 400)
        }
        try expectAlive(server)
    }

    @Test(arguments: ["-1", "abc", "1 2", "0x10"])
    func `a length that is no number is 400`(length: String) throws {
        let server = try serve(ServerSettings())
        let client = try RawHTTP(port: server.address.port)
        client.send("POST /count HTTP/1.1\r\nHost: test\r\nContent-Length: \(length)\r\n\r\n")
        #expect(client.receive()?.status == 400)
        try expectAlive(server)
    }

    @Test func `a chunk size that is no number ends the connection`() throws {
        let server = try serve(ServerSettings())
        let client = try RawHTTP(port: server.address.port)
        client.send("POST /count HTTP/1.1\r\nHost: test\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n")
        #expect(client.receive()?.status ?? 400 == 400)
        #expect(client.isClosed())
        try expectAlive(server)
    }

    @Test func `garbage ends the connection and nothing else`() throws {
        let server = try serve(ServerSettings(headerTimeout: .milliseconds(300)))
        var state: UInt64 = 42
        for _ in 0..<50 {
            let client = try RawHTTP(port: server.address.port)
            let bytes = (0..<200).map { _ -> UInt8 in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return UInt8(truncatingIfNeeded: state >> 33)
            }
            client.send(bytes + [0x0D, 0x0A, 0x0D, 0x0A])
            client.endSending()
            #expect(client.receive()?.status ?? 400 >= 400)
        }
        try expectAlive(server)
    }

    @Test func `a header that is too large is refused`() throws {
        let server = try serve(ServerSettings())
        let client = try RawHTTP(port: server.address.port)
        client.send("POST /count HTTP/1.1\r\nHost: test\r\nX-Long: \(String(repeating: "x", count: 20_000))\r\n\r\n")
        let reply = try #require(client.receive())
        #expect(reply.status == 431 || reply.status == 413)
        let line = try RawHTTP(port: server.address.port)
        line.send("GET /\(String(repeating: "x", count: 20_000)) HTTP/1.1\r\nHost: test\r\n\r\n")
        #expect(line.receive()?.status == 414)
        try expectAlive(server)
    }

    @Test func `a request without host is 400`() throws {
        let server = try serve(ServerSettings())
        let client = try RawHTTP(port: server.address.port)
        client.send("POST /count HTTP/1.1\r\nContent-Length: 0\r\n\r\n")
        #expect(client.receive()?.status == 400)
    }

    @Test func `a header that drips is cut in time, whatever the bytes between`() throws {
        let server = try serve(ServerSettings(headerTimeout: .milliseconds(300)))
        let client = try RawHTTP(port: server.address.port)
        let start = SystemTime().monotonic()
        #expect(drip("POST /count HTTP/1.1\r\nX-Slow: ", into: client))
        #expect(Promptness.holds(since: start, within: .seconds(5)))
        #expect(eventually { server.statistics.headerTimeouts == 1 })
        try expectAlive(server)
    }

    @Test func `a silent connection is closed after the time for a header`() throws {
        let server = try serve(ServerSettings(headerTimeout: .milliseconds(200)))
        #expect(try RawHTTP(port: server.address.port).isClosed())
        #expect(eventually { server.statistics.headerTimeouts == 1 })
    }

    @Test func `a body that drips is cut in time`() throws {
        let server = try serve(ServerSettings(requestTimeout: .milliseconds(300)))
        let client = try RawHTTP(port: server.address.port)
        #expect(drip("POST /count HTTP/1.1\r\nHost: test\r\nContent-Length: 100000\r\n\r\n", into: client))
        #expect(eventually { server.statistics.requestTimeouts == 1 })
        try expectAlive(server)
    }

    @Test func `a second request whose first line drips is cut in time`() throws {
        let server = try serve(ServerSettings(headerTimeout: .milliseconds(1_200)))
        // On a busy machine the first request itself may come too late: then another client tries.
        var client: RawHTTP?
        let isServed = try eventually {
            let new = try RawHTTP(port: server.address.port)
            client = new
            return new.ask("POST", "/count", body: [1])?.text == "1"
        }
        #expect(isServed)
        let before = server.statistics.headerTimeouts
        // Bytes right after an answer cannot be told from the request before: the watch wants a second between.
        _ = Monitor(()).wait(until: SystemTime().monotonic() + .milliseconds(1_100)) { _ -> Void? in nil }
        let start = SystemTime().monotonic()
        #expect(drip("PO", into: try #require(client)))
        #expect(Promptness.holds(since: start, within: .seconds(10)))
        #expect(eventually { server.statistics.headerTimeouts == before + 1 })
    }

    @Test func `a client that does not take its answer is cut in time`() throws {
        let page = Response(status: 200, body: [UInt8](repeating: 120, count: 32 << 20))
        let server = try Server(
            listen: ListenAddress("127.0.0.1:0"), routes: [Route(.get, "/large") { _, _ in .respond(page) }],
            settings: ServerSettings(answerTimeout: .milliseconds(300)))
        let client = try RawHTTP(port: server.address.port)
        client.send(RawHTTP.request("GET", "/large"))
        #expect(eventually { server.statistics.connections == 0 && server.statistics.connectionsAccepted == 1 })
        #expect(eventually { server.statistics.answerTimeouts == 1 })
        #expect(client.receive() == nil)
    }

    @Test func `an idle connection is closed after its time, quietly`() throws {
        let server = try serve(ServerSettings(idleTimeout: .milliseconds(300)))
        let client = try RawHTTP(port: server.address.port)
        #expect(client.ask("POST", "/count", body: [1])?.text == "1")
        #expect(client.isClosed())
        #expect(server.statistics.headerTimeouts == 0)
        #expect(server.statistics.answerTimeouts == 0)
    }

    @Test func `when all connections are used the oldest incomplete request makes room`() throws {
        // Nothing but a newcomer ends anything here.
        let server = try serve(
            ServerSettings(
                maxConnections: 4, headerTimeout: Waits.limit, requestTimeout: Waits.limit, idleTimeout: Waits.limit))
        let slow = try RawHTTP(port: server.address.port)
        slow.send("POST /count HTTP/1.1\r\n")
        let used = try (0..<3).map { _ in try RawHTTP(port: server.address.port) }
        for client in used { #expect(client.ask("POST", "/count", body: [1])?.text == "1") }
        // A request that has just begun is not counted as stuck yet.
        _ = Monitor(()).wait(until: SystemTime().monotonic() + Limits.stuck) { _ -> Void? in nil }
        let newcomer = try RawHTTP(port: server.address.port)
        #expect(newcomer.ask("POST", "/count", body: [1, 2, 3])?.text == "3")
        #expect(slow.isClosed())
        for client in used { #expect(client.ask("POST", "/count", body: [1])?.text == "1") }
        #expect(server.statistics.evicted == 1)
    }

    @Test func `bodies held at once are bounded over all connections`() throws {
        let refusals = Refusals()
        let server = try serve(ServerSettings(maxBody: .mebibytes(8)), refusals)
        let clients = try (0..<12).map { _ in try RawHTTP(port: server.address.port) }
        let most = [UInt8](repeating: 120, count: 6 << 20)
        for client in clients {
            client.send("POST /count HTTP/1.1\r\nHost: test\r\nContent-Length: \(7 << 20)\r\n\r\n")
            client.send(most)
        }
        #expect(eventually { refusals.noMemory.load(ordering: .relaxed) >= 1 })
        try expectAlive(server)
    }

    @Test func `clients that leave at every point of a request harm nobody`() throws {
        let server = try serve(ServerSettings())
        let request = RawHTTP.request("POST", "/count", body: [UInt8](repeating: 1, count: 40))
        for end in request.indices { try RawHTTP(port: server.address.port).send(Array(request[..<end])) }
        try expectAlive(server)
    }

    /// Sends `prefix`, then one byte every 20 ms; true once the server has closed.
    private func drip(_ prefix: String, into client: RawHTTP) -> Bool {
        client.send(prefix)
        let tick = Monitor(())
        let end = Waits.end
        while SystemTime().monotonic() < end {
            _ = tick.wait(until: SystemTime().monotonic() + .milliseconds(20)) { _ -> Void? in nil }
            if !client.send("x") { return true }
        }
        return false
    }
}
