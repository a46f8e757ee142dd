import Platform
import TestSupport
import Testing

@testable import HTTPClient

/// The certificates that are trusted, in the order of Go's programs: an own file, then what the environment names, then
/// the system's.
@Suite struct TrustTests {
    /// A folder in which OpenSSL finds the certificate of the server.
    private static func trustFolder(_ server: TLSServer) throws -> TemporaryFolder {
        let folder = TemporaryFolder()
        try FileStore.replace(folder.file("server.pem"), with: try FileStore.read(server.certificate))
        let made = ChildProcess.run("/usr/bin/openssl", ["rehash", folder.path])
        try #require(made.status == 0, "\(made.output)")
        return folder
    }

    private static func isTrusted(
        _ server: TLSServer, _ environment: [String: String], own: String? = nil
    ) throws -> Bool {
        var options = TransportOptions()
        options.network = NetworkEnvironment(environment)
        options.authorityFile = own
        let transport = try Transport(options)
        let url = try #require(EndpointURL("https://127.0.0.1:\(server.port)/"))
        _ = transport.start(Request(.get, url, timeout: Waits.limit))
        var completions: [Completion] = []
        while completions.isEmpty { transport.poll(until: Waits.end, into: &completions) }
        switch completions[0].outcome {
        case .response(let response): return response.status == 200
        case .failure(let failure):
            #expect(failure.kind == .tls, "\(failure)")
            return false
        }
    }

    @Test func `what the environment names is trusted, and an own file alone`() throws {
        let (server, other) = (try TLSServer(), try TLSServer())
        let folder = try Self.trustFolder(server)
        let empty = TemporaryFolder()
        for (environment, own, expected) in [
            ([:], nil, false), (["SSL_CERT_FILE": server.certificate], nil, true),
            (["SSL_CERT_FILE": " \(server.certificate) "], nil, true),
            (["SSL_CERT_FILE": other.certificate], nil, false), (["SSL_CERT_FILE": "/no/such/file"], nil, false),
            (["SSL_CERT_DIR": folder.path], nil, true), (["SSL_CERT_DIR": "\(empty.path):\(folder.path)"], nil, true),
            (["SSL_CERT_DIR": empty.path], nil, false),
            (["SSL_CERT_FILE": other.certificate, "SSL_CERT_DIR": folder.path], nil, true),
            ([:], server.certificate, true),
            (["SSL_CERT_FILE": server.certificate, "SSL_CERT_DIR": folder.path], other.certificate, false),
            (["SSL_CERT_FILE": other.certificate, "SSL_CERT_DIR": empty.path], server.certificate, true),
        ] as [([String: String], String?, Bool)] {
            #expect(try Self.isTrusted(server, environment, own: own) == expected, "\(environment), own: \(own ?? "-")")
        }
    }

    @Test(.enabled(if: PrivateNames.isAllowed, "mounting needs root"))
    func `with an own file the system's certificates are not trusted`() throws {
        let (server, other) = (try TLSServer(), try TLSServer())
        let folder = try Self.trustFolder(server)
        // The system's file lies in the system's folder.
        try FileStore.replace(folder.file("ca-certificates.crt"), with: try FileStore.read(other.certificate))
        try PrivateNames(folders: [(folder.path, "/etc/ssl/certs")]).run {
            let isTrusted = try Self.isTrusted(server, [:])
            let isTrustedBeside = try Self.isTrusted(server, [:], own: other.certificate)
            #expect(isTrusted)
            #expect(!isTrustedBeside)
        }
    }

    @Test func `the files in use are listed, so that a change of them can be seen`() {
        var options = TransportOptions()
        options.network = NetworkEnvironment([:])
        #expect(options.trustFiles.isEmpty)
        options.network = NetworkEnvironment(["SSL_CERT_FILE": "/a.pem", "SSL_CERT_DIR": "/b:/c"])
        options.certificateFile = "/d.pem"
        options.keyFile = "/e.pem"
        #expect(options.trustFiles == ["/a.pem", "/b", "/c", "/d.pem", "/e.pem"])
        options.authorityFile = "/f.pem"
        #expect(options.trustFiles == ["/f.pem", "/d.pem", "/e.pem"])
    }
}
