import Exporter
import Testing

/// The values of `Host` under which the status may be asked for.
@Suite struct AllowedHostsTests {
    private let hosts = AllowedHosts(["lkpush.internal", "Status.Example.com"])

    @Test(arguments: [
        "127.0.0.1", "127.0.0.1:9464", "10.2.3.4:80", "localhost", "LOCALHOST:9464", "localhost.", "[::1]",
        "[::1]:9464",
        "[fe80::1]:1", "lkpush.internal", "lkpush.internal:9464", "LKPUSH.INTERNAL.", "status.example.com",
    ])
    func `an address, localhost or a configured name is allowed`(host: String) {
        #expect(hosts.allows(host))
    }

    @Test(arguments: [
        "", "evil.example", "evil.example:9464", "127.0.0.1.evil.example", "localhost.evil.example", "evil.localhost",
        "lkpush.internal.evil.example", "xlkpush.internal", "127.0.0.1:9464:1", "127.0.0.1:http", "[::1", "[::1]x",
        "[::1]:x", "[localhost]x", "127.1", "0x7f000001", "2130706433", "127.0.0.1 evil.example", "user@127.0.0.1",
        "[evil.example]", "..", ".", "a b",
    ])
    func `anything else is not`(host: String) {
        #expect(!hosts.allows(host))
    }

    @Test func `a request without Host is not`() { #expect(!hosts.allows(nil)) }
}
