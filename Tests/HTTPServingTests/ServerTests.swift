import HTTPServing
import Platform
import Synchronization
import TestSupport
import Testing

/// A server on loopback with a few routes that show what arrives.
private func serve(
    _ settings: ServerSettings = ServerSettings(), routes: [Route] = [],
    onRefusal: @escaping @Sendable (Refusal) -> Void = { _ in },
    onStray: @escaping StrayHandler = { _ in }
) throws -> Server {
    let standard = [
        Route(.get, "/hello") { _, _ in .respond(.text(200, "hello")) },
        Route(.post, "/echo", onRefusal: onRefusal) { _, body in
            var copy: [UInt8] = []
            for index in body.indices { copy.append(body[index]) }
            return .respond(Response(status: 200, body: copy))
        },
        Route(.post, "/count", onRefusal: onRefusal) { request, body in
            .respond(
                .text(
                    200, "\(request.method.rawValue) \(request.path) \(request.header("X-Test") ?? "-") \(body.count)"))
        },
    ]
    return try Server(
        listen: ListenAddress("127.0.0.1:0"), routes: standard + routes, settings: settings, onStray: onStray)
}

@Suite struct ServerTests {
    @Test func `a route answers, and the connection serves the next request`() throws {
        let server = try serve()
        #expect(server.address.port != 0)
        let client = try RawHTTP(port: server.address.port)
        for _ in 0..<3 {
            let reply = try #require(client.ask("GET", "/hello"))
            #expect(reply.status == 200)
            #expect(reply.text == "hello")
            #expect(reply.header("content-type") == "text/plain; charset=utf-8")
        }
        #expect(client.ask("POST", "/echo", body: [1, 2, 3])?.body == [1, 2, 3])
        #expect(server.statistics.connectionsAccepted == 1)
    }

    @Test func `a handler sees method, path, header and body`() throws {
        let server = try serve()
        let client = try RawHTTP(port: server.address.port)
        let reply = client.ask("POST", "/count?a=b", headers: [("x-TEST", "seen")], body: [0, 0])
        #expect(reply?.text == "POST /count seen 2")
    }

    @Test func `an unknown path is 404, with and without a body`() throws {
        let server = try serve()
        #expect(try RawHTTP(port: server.address.port).ask("GET", "/nothing")?.status == 404)
        #expect(try RawHTTP(port: server.address.port).ask("POST", "/nothing", body: [1])?.status == 404)
        #expect(try RawHTTP(port: server.address.port).ask("GET", "/hello/x")?.status == 404)
    }

    @Test(arguments: ["PUT", "DELETE", "OPTIONS", "PATCH", "GET", "HEAD"])
    func `a wrong method is 405 and told which are right`(method: String) throws {
        let server = try serve()
        let reply = try #require(try RawHTTP(port: server.address.port).ask(method, "/echo"))
        #expect(reply.status == 405)
        #expect(reply.header("allow") == "POST")
    }

    @Test func `a GET route allows GET and HEAD`() throws {
        let server = try serve()
        #expect(try RawHTTP(port: server.address.port).ask("POST", "/hello")?.header("allow") == "GET, HEAD")
        let client = try RawHTTP(port: server.address.port)
        let reply = try #require(client.ask("HEAD", "/hello"))
        #expect(reply.status == 200)
        #expect(reply.header("content-length") == "5")
        #expect(client.ask("GET", "/hello")?.text == "hello")
    }

    @Test func `a chunked body arrives whole`() throws {
        let server = try serve()
        let client = try RawHTTP(port: server.address.port)
        client.send(RawHTTP.chunkedRequest("POST", "/echo", pieces: [[1], [2, 3], Array(repeating: 4, count: 300)]))
        #expect(client.receive()?.body == [1, 2, 3] + Array(repeating: 4, count: 300))
        #expect(client.ask("GET", "/hello")?.status == 200)
    }

    @Test func `a body may arrive byte by byte, and one of megabytes arrives whole`() throws {
        let server = try serve()
        let client = try RawHTTP(port: server.address.port)
        for byte in RawHTTP.request("POST", "/echo", body: [7, 8, 9]) { client.send([byte]) }
        #expect(client.receive()?.body == [7, 8, 9])
        let large = (0..<(4 << 20)).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        let reply = try #require(client.ask("POST", "/echo", body: large))
        #expect(reply.body == large)
        #expect(client.ask("POST", "/echo", body: [1])?.body == [1])
    }

    @Test func `requests sent in one go are answered in order`() throws {
        let server = try serve()
        let client = try RawHTTP(port: server.address.port)
        client.send((0..<50).flatMap { RawHTTP.request("POST", "/echo", body: [UInt8($0)]) })
        for index in 0..<50 { #expect(client.receive()?.body == [UInt8(index)]) }
    }

    @Test func `a client that asks first is told to go on, unless its body is too large`() throws {
        let server = try serve(ServerSettings(maxBody: ByteCount(10)))
        let client = try RawHTTP(port: server.address.port)
        client.send("POST /echo HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        #expect(client.receive()?.status == 100)
        client.send([1, 2, 3])
        #expect(client.receive()?.body == [1, 2, 3])
        client.send("POST /echo HTTP/1.1\r\nHost: test\r\nExpect: 100-continue\r\nContent-Length: 11\r\n\r\n")
        #expect(client.receive()?.status == 413)
    }

    @Test func `a client that closes after each answer is served`() throws {
        let server = try serve()
        for _ in 0..<20 {
            let client = try RawHTTP(port: server.address.port)
            let reply = client.ask("POST", "/echo", headers: [("Connection", "close")], body: [5])
            #expect(reply?.body == [5])
            #expect(client.isClosed())
        }
        let old = try RawHTTP(port: server.address.port)
        old.send("POST /echo HTTP/1.0\r\nContent-Length: 1\r\n\r\n\u{5}")
        #expect(old.receive()?.body == [5])
        #expect(old.isClosed())
    }

    @Test func `a body that announces too much is refused before it is sent`() throws {
        let refused = Atomic(0)
        let server = try serve(ServerSettings(maxBody: ByteCount(1_000))) { refusal in
            if refusal == .bodyTooLarge { refused.add(1, ordering: .relaxed) }
        }
        let client = try RawHTTP(port: server.address.port)
        client.send("POST /echo HTTP/1.1\r\nHost: test\r\nContent-Length: 1001\r\n\r\n")
        let reply = try #require(client.receive())
        #expect(reply.status == 413)
        #expect(reply.header("connection") == "close")
        #expect(client.isClosed())
        #expect(refused.load(ordering: .relaxed) == 1)
        #expect(
            try RawHTTP(port: server.address.port).ask("POST", "/echo", body: .init(repeating: 1, count: 1_000))?.status
                == 200)
    }

    @Test func `a slash at the end and doubled slashes are the same path`() throws {
        let server = try serve(routes: [Route(.get, "/") { _, _ in .respond(.text(200, "root")) }])
        let same = [
            "/hello", "/hello/", "/hello//", "//hello", "///hello///", "/%68ello", "/hello%2F", "/%2Fhello",
            "/hello?a=b",
            "/hello/?a=b", "http://any.host/hello/", "HTTP://user:secret@any.host//hello",
        ]
        for path in same {
            #expect(try RawHTTP(port: server.address.port).ask("GET", path)?.text == "hello", "\(path)")
            let head = try RawHTTP(port: server.address.port).ask("HEAD", path)
            #expect(head?.status == 200, "\(path)")
            let wrong = try RawHTTP(port: server.address.port).ask("PUT", path)
            #expect(wrong?.status == 405 && wrong?.header("allow") == "GET, HEAD", "\(path)")
        }
        for path in ["/", "//", "http://any.host/", "/?a=/hello"] {
            #expect(try RawHTTP(port: server.address.port).ask("GET", path)?.text == "root", "\(path)")
        }
        for path in ["/hell", "/helloo", "/hel/lo", "/Hello", "/x/hello", "/hello/x", "/./hello", "//any.host/hello"] {
            #expect(try RawHTTP(port: server.address.port).ask("GET", path)?.status == 404, "\(path)")
        }
    }

    @Test func `what no route takes is seen before its body comes, and answered as ever`() throws {
        let seen = Mutex<[String]>([])
        let server = try serve(onStray: { request in
            let line = "\(request.method) \(request.path) \(request.route ?? "-") \(request.header("x-test") ?? "-")"
            seen.withLock { $0.append(line) }
        })
        func ask(_ method: String, _ path: String, _ body: [UInt8]? = nil) throws -> Int? {
            try RawHTTP(port: server.address.port).ask(method, path, headers: [("X-Test", "t")], body: body)?.status
        }
        #expect(try ask("GET", "/nothing?token=x") == 404)
        #expect(try ask("POST", "http://user:secret@any.host/a%20b", [1, 2]) == 404)
        #expect(try ask("PUT", "/echo/", [1, 2]) == 405)
        #expect(try ask("GET", "/hello") == 200)
        #expect(try ask("POST", "/echo", [1]) == 200)
        // A body of which nothing has come: the answer does not wait for it.
        let client = try RawHTTP(port: server.address.port)
        client.send("POST /late HTTP/1.1\r\nHost: test\r\nContent-Length: 1000\r\n\r\n")
        #expect(client.receive()?.status == 404)
        #expect(
            seen.withLock { $0 } == [
                "GET /nothing - t", "POST /a b - t", "PUT /echo/ /echo t", "POST /late - -",
            ])
    }
}
