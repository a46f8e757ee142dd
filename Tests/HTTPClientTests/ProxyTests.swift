import Platform
import TestSupport
import Testing

@testable import HTTPClient

/// Requests through proxies, with real sockets. Hosts behind a proxy are not looked up here, so they need not exist.
@Suite struct ProxyTests {
    private func transport(_ environment: [String: String]) throws -> Transport {
        var options = TransportOptions()
        options.network = NetworkEnvironment(environment)
        return try Transport(options)
    }

    private func finish(_ transport: Transport) throws -> Completion {
        var completions: [Completion] = []
        while completions.isEmpty { transport.poll(until: Waits.end, into: &completions) }
        return try #require(completions.first)
    }

    private func ask(_ url: String, _ environment: [String: String]) throws -> Completion {
        let transport = try transport(environment)
        _ = transport.start(Request(.post, try #require(EndpointURL(url)), body: [1], timeout: Waits.limit))
        return try finish(transport)
    }

    private func status(_ completion: Completion) -> Int {
        if case .response(let response) = completion.outcome { response.status } else { 0 }
    }

    @Test(arguments: ["HTTP_PROXY", "http_proxy"])
    func `a proxy gets the whole address, and its credentials`(_ name: String) throws {
        let proxy = try ScriptedReceiver()
        let address = "http://me:p%40ss@127.0.0.1:\(proxy.port)"
        #expect(try status(ask("http://receiver.example:81/write?x=1", [name: address])) == 204)
        let request = try #require(proxy.requests.first)
        #expect(request.target == "http://receiver.example:81/write?x=1")
        #expect(request.headers["host"] == "receiver.example:81")
        // me:p@ss
        #expect(request.headers["proxy-authorization"] == "Basic bWU6cEBzcw==")
        #expect(request.headers["authorization"] == nil)
    }

    @Test func `hosts of NO_PROXY and loopback are reached without the proxy`() throws {
        let (proxy, receiver) = (try ScriptedReceiver(), try ScriptedReceiver())
        let environment = ["HTTP_PROXY": "127.0.0.1:\(proxy.port)", "NO_PROXY": "direct.localhost:\(receiver.port)"]
        for host in ["127.0.0.1", "localhost", "direct.localhost"] {
            #expect(try status(ask("http://\(host):\(receiver.port)/", environment)) == 204)
        }
        #expect(receiver.requests.count == 3)
        // Another port of the same name is not in the list.
        #expect(try status(ask("http://direct.localhost:1/", environment)) == 204)
        #expect(proxy.requests.map(\.target) == ["http://direct.localhost:1/"])
    }

    @Test func `a proxy that cannot be read stops the request, and no secret is told`() throws {
        let completion = try ask("http://receiver.example/", ["HTTP_PROXY": "http://me:s3cret@127.0.0.1:99999"])
        guard case .failure(let failure) = completion.outcome else {
            Issue.record("no failure: \(completion)")
            return
        }
        #expect(failure.text.hasPrefix("HTTP_PROXY: expected the URL of a proxy"))
        #expect(!failure.mayHaveArrived)
        #expect(!"\(failure)".contains("s3cret"))
    }

    @Test func `a proxy that refuses the connection is named without its password`() throws {
        let port = FixedPorts.pick()
        for url in ["http://receiver.example/", "https://receiver.example/"] {
            let address = "http://me:s3cret@127.0.0.1:\(port)"
            let completion = try ask(url, ["HTTP_PROXY": address, "HTTPS_PROXY": address])
            guard case .failure(let failure) = completion.outcome else {
                Issue.record("no failure: \(completion)")
                return
            }
            #expect(failure.kind == .connect)
            #expect(failure.text.contains("127.0.0.1"))
            #expect(!"\(failure)".contains("s3cret"))
        }
    }

    @Test func `an https receiver is reached through a tunnel that sees nothing`() throws {
        let server = try TLSServer(name: "receiver.example")
        let proxy = try TunnelProxy(to: server.port)
        var options = TransportOptions()
        options.network = NetworkEnvironment(["HTTPS_PROXY": "http://me:pass@127.0.0.1:\(proxy.port)"])
        options.authorityFile = server.certificate
        let transport = try Transport(options)
        let secret = try #require(HTTPHeader("Authorization", "Bearer s3cret"))
        _ = transport.start(
            Request(
                .get, try #require(EndpointURL("https://receiver.example:444/")), headers: [secret],
                timeout: Waits.limit))
        #expect(status(try finish(transport)) == 200)
        let head = try #require(proxy.heads.first)
        #expect(head.startLine == "CONNECT receiver.example:444 HTTP/1.1")
        #expect(head.headers["proxy-authorization"] == "Basic bWU6cGFzcw==")
        #expect(head.headers["authorization"] == nil)
    }

    @Test(arguments: ["socks5", "socks5h"])
    func `a SOCKS proxy gets the name of the host`(_ scheme: String) throws {
        let receiver = try ScriptedReceiver()
        let proxy = try TunnelProxy(.socks5, to: receiver.port)
        let completion = try ask("http://receiver.example/write", ["HTTP_PROXY": "\(scheme)://127.0.0.1:\(proxy.port)"])
        #expect(status(completion) == 204)
        #expect(proxy.names == ["receiver.example:80"])
        #expect(receiver.requests.first?.target == "/write")
    }

    @Test(.enabled(if: PrivateNames.isAllowed, "mounting needs root"))
    func `the name of the proxy is looked up, that of the host is not`() throws {
        let proxy = try ScriptedReceiver()
        try PrivateNames(hosts: [("proxy.example", "127.0.0.1")]).run {
            let environment = ["HTTP_PROXY": "http://proxy.example:\(proxy.port)"]
            let completion = try ask("http://behind.example/write", environment)
            #expect(status(completion) == 204)
            #expect(proxy.requests.map(\.target) == ["http://behind.example/write"])
            // A search for a name that nobody tells fails with that of the proxy.
            var options = TransportOptions()
            options.network = NetworkEnvironment(["HTTP_PROXY": "http://lost-proxy.example:1"])
            options.connectTimeout = .milliseconds(100)
            let transport = try Transport(options)
            _ = transport.start(Request(.post, try #require(EndpointURL("http://behind.example/"))))
            guard case .failure(let failure) = try finish(transport).outcome else {
                Issue.record("no failure")
                return
            }
            #expect(failure.kind == .resolve)
            #expect(failure.text.contains("proxy name: lost-proxy.example"))
        }
    }
}
