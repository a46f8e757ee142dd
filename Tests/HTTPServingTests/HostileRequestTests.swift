import HTTPServing
import TestSupport
import Testing

/// Requests that two readers may understand differently, and ones that are no HTTP/1.1 at all.
@Suite struct HostileRequestTests {
    private func serve() throws -> Server {
        let count = Route(.post, "/count") { _, body in .respond(.text(200, "\(body.count)")) }
        return try Server(listen: ListenAddress("127.0.0.1:0"), routes: [count])
    }

    /// All replies of one connection until it is closed.
    private func replies(_ server: Server, to bytes: [UInt8]) throws -> [Int] {
        let client = try RawHTTP(port: server.address.port)
        client.send(bytes)
        client.endSending()
        var all: [Int] = []
        while let reply = client.receive() { all.append(reply.status) }
        return all
    }

    @Test(arguments: [
        "Content-Length: 4\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nContent-Length: 4",
        "Content-Length: 4\r\nContent-Length: 5", "Content-Length: 4\r\nContent-Length: 4",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked", "Transfer-Encoding: gzip, chunked",
        "Transfer-Encoding: identity", "Transfer-Encoding: xchunked",
    ])
    func `a body whose length is told twice or strangely is 400, and what follows it is not read`(told: String) throws {
        let server = try serve()
        let first = "POST /count HTTP/1.1\r\nHost: test\r\n\(told)\r\n\r\n0\r\n\r\n"
        let hidden = "POST /count HTTP/1.1\r\nHost: test\r\nContent-Length: 1\r\n\r\nx"
        #expect(try replies(server, to: Array((first + hidden).utf8)) == [400])
    }

    @Test func `a refused request ends the connection, so that none can follow it`() throws {
        let server = try serve()
        let good = RawHTTP.request("POST", "/count", body: [1])
        let unknown = RawHTTP.request("GET", "/none")
        let wrong = RawHTTP.request("GET", "/count")
        #expect(try replies(server, to: good + unknown + good) == [200, 404])
        #expect(try replies(server, to: good + wrong + good) == [200, 405])
    }

    @Test(arguments: [
        "/count?x=/none", "/%63ount", "http://other:99/count", "HTTP://a/count?x", "/count/", "//count",
        "http://a//count/",
    ])
    func `a path is found in each of its forms`(path: String) throws {
        let server = try serve()
        #expect(try RawHTTP(port: server.address.port).ask("POST", path, body: [1])?.text == "1")
    }

    @Test(arguments: [
        "/count/x", "//a/count", "/./count", "/x/../count", "/COUNT", "count", "*", "http://a", "/count%zz",
    ])
    func `a path that is not the route's is 404`(path: String) throws {
        let server = try serve()
        #expect(try RawHTTP(port: server.address.port).ask("POST", path, body: [1])?.status == 404)
    }

    @Test(arguments: [
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}\0\u{1}\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /count\r\n\r\n",
        "POST /count HTTP/9.9\r\nHost: a\r\n\r\n", "POST /count HTTP/1.1junk\r\nHost: a\r\n\r\n",
        "POST /count HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n",
    ])
    func `what is no request of HTTP 1 is refused at once`(text: String) throws {
        let server = try serve()
        let client = try RawHTTP(port: server.address.port)
        client.send(text)
        let status = client.receive()?.status ?? 400
        #expect(status == 400 || status == 505)
        #expect(client.isClosed())
    }

    @Test func `a client that leaves in the middle of a request is counted`() throws {
        let server = try serve()
        for part in ["POST /count HTTP/1.1\r\nHo", "POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nx"] {
            try RawHTTP(port: server.address.port).send(part)
        }
        #expect(eventually { server.statistics.incomplete == 2 })
    }

    @Test(arguments: ["0x4", "+4", "-1", "fffffffffffffffff", "4;"])
    func `a piece's size is digits, and an extension is skipped`(size: String) throws {
        let server = try serve()
        let client = try RawHTTP(port: server.address.port)
        client.send("POST /count HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n\(size)\r\nabcd\r\n0\r\n\r\n")
        let status = client.receive()?.status
        #expect(size == "4;" ? status == 200 : status == 400 || status == 413)
    }
}
