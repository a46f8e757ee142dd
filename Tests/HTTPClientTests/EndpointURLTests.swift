import Glibc
import Testing

@testable import HTTPClient

@Suite struct EndpointURLTests {
    @Test(arguments: [
        "", "host/path", "ftp://host/", "http://", "http://:80/", "http:///path", "http://ho st/", "https://user@/",
        "http://host:0x50/", "http://host:70000/", "http://[::1/", "http://a b/", "http://bücher.example/",
    ])
    func `what is no HTTP URL is refused`(_ text: String) {
        #expect(EndpointURL(text) == nil)
    }

    @Test func `the locale of the process does not decide which hosts are taken`() {
        // As `lkpush top` sets it. It holds for the whole process, and no other test may depend on it either.
        #expect(setlocale(LC_CTYPE, "C.UTF-8") != nil)
        #expect(EndpointURL("http://bücher.example/") == nil)
        #expect(EndpointURL("http://b%C3%BCcher.example/") == nil)
        #expect(EndpointURL("http://xn--bcher-kva.example/")?.host == "xn--bcher-kva.example")
    }

    @Test(arguments: [
        ("http://Example.COM/x", "example.com", 80), ("HTTPS://example.com", "example.com", 443),
        ("http://me:pass@example.com:8428/", "example.com", 8_428), ("http://[::1]:9/", "::1", 9),
        ("http://127.1/", "127.0.0.1", 80), ("http://ex%61mple.com./", "example.com.", 80),
    ])
    func `host and port are those that curl connects to`(_ text: String, _ host: String, _ port: UInt16) throws {
        let url = try #require(EndpointURL(text))
        #expect(url.host == host)
        #expect(url.port == port)
        #expect(url.isSecure == text.lowercased().hasPrefix("https:"))
    }

    @Test func `what is printed holds neither credentials nor the query`() throws {
        let url = try #require(EndpointURL("https://me:s3cret@example.com:8443/api/push?token=hidden#part"))
        #expect(url.description == "https://example.com:8443/api/push")
        #expect("\(url)" == url.description)
        #expect(url.exposed == "https://me:s3cret@example.com:8443/api/push?token=hidden#part")
    }

    @Test func `a header cannot break out of its line`() {
        #expect(HTTPHeader("X-One", "a\r\nX-Two: b") == nil)
        #expect(HTTPHeader("X One", "a") == nil)
        #expect(HTTPHeader("", "a") == nil)
        #expect(HTTPHeader("X-One", "ü") != nil)
    }

    @Test(arguments: [
        (
            "Unsupported proxy syntax in 'http://user:geheim@127.0.0.1:1 '",
            "Unsupported proxy syntax in 'http://••••@127.0.0.1:1 '"
        ),
        ("in 'user:a/b@c@127.0.0.1'", "in '••••@127.0.0.1'"),
        ("Could not resolve proxy: nowhere", "Could not resolve proxy: nowhere"),
    ])
    func `what libcurl quotes of an address holds no credentials`(_ text: String, _ shown: String) {
        #expect(Transfer.withoutUserInfo(text) == shown)
    }
}
