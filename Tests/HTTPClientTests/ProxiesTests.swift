import Testing

@testable import HTTPClient

/// The decisions that Go's programs make with the same variables.
@Suite struct ProxiesTests {
    private func route(_ environment: [String: String], to url: String) throws -> String {
        switch Proxies(environment).route(to: try #require(EndpointURL(url))) {
        case .direct: "direct"
        case .via(let proxy): proxy.exposed
        case .unusable(let problem): problem
        }
    }

    private static let proxy = "http://proxy.example:3128"

    @Test(arguments: [
        (["HTTP_PROXY": proxy], "http://receiver.example/", proxy),
        (["http_proxy": proxy], "http://receiver.example/", proxy),
        (["HTTP_PROXY": proxy], "https://receiver.example/", "direct"),
        (["HTTPS_PROXY": proxy], "https://receiver.example/", proxy),
        (["https_proxy": proxy], "https://receiver.example/", proxy),
        (["HTTPS_PROXY": proxy], "http://receiver.example/", "direct"),
        (["ALL_PROXY": proxy, "all_proxy": proxy], "http://receiver.example/", "direct"),
        (["HTTP_PROXY": proxy, "http_proxy": "http://other:1"], "http://receiver.example/", proxy),
        (["HTTP_PROXY": "", "http_proxy": proxy], "http://receiver.example/", proxy),
        (["HTTP_PROXY": " \n"], "http://receiver.example/", "direct"),
        ([:], "http://receiver.example/", "direct"),
    ])
    func `a variable is for its scheme, in capitals first`(
        _ environment: [String: String], _ url: String, _ expected: String
    ) throws {
        #expect(try route(environment, to: url) == expected)
    }

    @Test(arguments: [
        ("proxy.example", "http://proxy.example:80"), ("proxy.example:3128", "http://proxy.example:3128"),
        (" 10.0.0.1:3128 ", "http://10.0.0.1:3128"), ("http://proxy.example/", "http://proxy.example:80"),
        ("HTTPS://Proxy.Example", "https://proxy.example:443"),
        ("socks5://proxy.example", "socks5h://proxy.example:1080"),
        ("socks5h://proxy.example:9", "socks5h://proxy.example:9"), ("http://[fd00::1]:3128", "http://[fd00::1]:3128"),
        ("http://me:p%40ss@proxy.example:1", "http://me:p%40ss@proxy.example:1"),
        ("me@proxy.example", "http://me@proxy.example:80"),
    ])
    func `a proxy may be a URL, or a host with or without a port`(_ text: String, _ expected: String) throws {
        #expect(try route(["HTTP_PROXY": text], to: "http://receiver.example/") == expected)
    }

    @Test(arguments: [
        "ftp://proxy.example", "socks4://proxy.example", "http://", "http://a b:1", "s3cret@@", "proxy:99999",
    ])
    func `what is no proxy is named, and nothing is sent around it`(_ text: String) throws {
        for name in ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY"] {
            let proxies = Proxies([name: text])
            try #require(proxies.problems.count == 1)
            #expect(proxies.problems[0].hasPrefix("\(name): expected the URL of a proxy"))
            #expect(!proxies.problems[0].contains("s3cret"))
        }
        #expect(try route(["HTTP_PROXY": text], to: "http://receiver.example/").contains("expected the URL"))
        #expect(try route(["HTTP_PROXY": text], to: "http://localhost/") == "direct")
        #expect(Proxies(["HTTP_PROXY": Self.proxy, "NO_PROXY": "::,/"]).problems.isEmpty)
    }

    @Test(arguments: [
        "http://localhost/", "http://LOCALHOST:9/", "http://127.0.0.1/", "http://127.9.9.9:8/", "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
    ])
    func `loopback is never proxied`(_ url: String) throws {
        #expect(try route(["HTTP_PROXY": Self.proxy], to: url) == "direct")
    }

    @Test(arguments: [
        // Names match themselves and what is below them, with a dot before or a star only what is below.
        ("example.com", "example.com", true), ("example.com", "a.b.example.com", true),
        ("example.com", "badexample.com", false), ("Example.COM", "A.example.com", true),
        (".example.com", "example.com", false), (".example.com", "a.example.com", true),
        ("*.example.com", "example.com", false), ("*.example.com", "a.example.com", true),
        ("com", "example.com", true), ("example.com", "example.com.", false),
        // Several, with blanks around them.
        (" a.com ,\texample.com , ", "example.com", true), ("a.com,b.com", "c.com", false), (",,", "c.com", false),
        // One port.
        ("example.com:80", "example.com", true), ("example.com:8080", "example.com", false),
        ("example.com:8080", "a.example.com:8080", true), ("example.com:http", "example.com", false),
        // Addresses and ranges.
        ("10.0.0.1", "10.0.0.1", true), ("10.0.0.1:80", "10.0.0.1", true), ("10.0.0.1:81", "10.0.0.1", false),
        ("10.0.0.0/8", "10.200.0.1", true), ("10.0.0.0/8", "11.0.0.1", false), ("10.16.0.0/12", "10.31.0.1", true),
        ("10.16.0.0/12", "10.32.0.1", false), ("0.0.0.0/0", "8.8.8.8", true), ("10.0.0.0/33", "10.0.0.0", false),
        ("fd00::/8", "[fd12::1]", true), ("fd00::/8", "[fe80::1]", false), ("fd00::1", "[fd00::1]", true),
        ("[fd00::1]:80", "[fd00::1]", true), ("[fd00::1]:81", "[fd00::1]", false), ("[fd00::1]", "[fd00::1]", true),
        ("::ffff:10.0.0.1", "10.0.0.1", true), ("0.0.0.1", "a0.0.0.1.example", false),
        // An address has no names below it.
        ("0.0.1", "10.0.0.1", false), ("1", "10.0.0.1", false),
        // All.
        ("*", "example.com", true), ("a.com,*", "10.0.0.1", true), ("*.", "example.com", false),
    ])
    func `hosts of NO_PROXY are connected to directly`(_ list: String, _ host: String, _ isDirect: Bool) throws {
        for name in ["NO_PROXY", "no_proxy"] {
            let route = try route(["HTTP_PROXY": Self.proxy, name: list], to: "http://\(host)/")
            #expect((route == "direct") == isDirect, "\(name)=\(list) for \(host): \(route)")
        }
    }
}
