import Platform

/// OpenSSL's own server for `https`, with a certificate that it signed itself. It answers every GET with status 200.
package final class TLSServer: Sendable {
    /// OpenSSL did not do what was asked.
    package struct ServerError: Error, CustomStringConvertible {
        package let description: String
    }

    private let folder = TemporaryFolder()
    private let process: ChildProcess
    package let port: UInt16
    /// The file with its certificate, which clients must trust.
    package var certificate: String { folder.file("certificate") }

    /// Returns when it accepts connections.
    ///
    /// - Parameter name: the host name in the certificate, beside `localhost` and 127.0.0.1.
    package init(name: String = "localhost") throws {
        let port = FixedPorts.pick()
        self.port = port
        // Of several certificates with one subject OpenSSL tries only the first that it finds.
        let made = ChildProcess.run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=server \(port)", "-addext",
                "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:\(name)", "-keyout", folder.file("key"), "-out",
                folder.file("certificate"),
            ])
        guard made.status == 0 else { throw ServerError(description: made.output) }
        process = try ChildProcess(
            "/usr/bin/openssl",
            [
                "s_server", "-accept", "127.0.0.1:\(port)", "-key", folder.file("key"), "-cert",
                folder.file("certificate"), "-www", "-quiet",
            ])
        guard eventually({ (try? LoopbackSocket.connected(to: port)) != nil }) else {
            throw ServerError(description: "it accepts no connection")
        }
    }
}
