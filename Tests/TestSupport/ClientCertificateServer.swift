import Platform

/// A server for `https` in front of another server on loopback. It asks every client for a certificate of its own
/// authority, unless it is told not to, and notes the name in it. Python's `ssl` does the work.
package final class ClientCertificateServer: Sendable {
    private let folder = TemporaryFolder()
    private let process: ChildProcess
    package let port: UInt16
    /// The file with its own certificate, which clients must trust.
    package var certificate: String { folder.file("server") }

    private static let python = "/usr/bin/python3"

    /// True if this machine has what it takes.
    package static let isAvailable = ChildProcess.run(python, ["-c", "import ssl"]).status == 0

    /// Returns when it accepts connections.
    package init(before server: UInt16, asksForCertificate: Bool = true) throws {
        try Self.sign(
            "/CN=localhost", extensions: "subjectAltName=IP:127.0.0.1,DNS:localhost", in: folder, to: "server")
        try Self.sign("/CN=authority", extensions: "basicConstraints=CA:TRUE", in: folder, to: "authority")
        let port = FixedPorts.pick()
        self.port = port
        process = try ChildProcess(
            Self.python,
            [
                "-c", Self.program, "\(port)", "\(server)", folder.file("server"),
                asksForCertificate ? folder.file("authority") : "",
            ],
            output: folder.file("names"))
        let names = folder.file("names")
        guard eventually({ Self.read(names).first == "ready" }) else {
            throw SystemError("start", Self.read(names).joined(separator: " "), code: 0)
        }
    }

    /// The names in the certificates of the connections so far, in their order; `-` for a client that was refused, or
    /// that was not asked.
    package var names: [String] { Array(Self.read(folder.file("names")).dropFirst()) }

    private static func read(_ path: String) -> [String] {
        do throws(SystemError) {
            let text = String(decoding: try FileStore.read(path), as: UTF8.self)
            return text.split(separator: "\n").map(String.init)
        } catch {
            return []
        }
    }

    /// Makes a client certificate with its key. Both are in the text, in PEM.
    package func issue(_ name: String) throws -> [UInt8] {
        try Self.sign("/CN=\(name)", by: folder.file("authority"), in: folder, to: name)
        return try FileStore.read(folder.file(name))
    }

    /// Makes a file with a certificate and its key. Without an authority it is signed by itself.
    private static func sign(
        _ subject: String, extensions: String = "basicConstraints=CA:FALSE", by authority: String? = nil,
        in folder: TemporaryFolder, to name: String
    ) throws {
        let (certificate, key) = (folder.file("\(name).certificate"), folder.file("\(name).key"))
        let made = ChildProcess.run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", subject, "-addext", extensions,
                "-keyout", key, "-out", certificate,
            ] + (authority.map { ["-CA", $0, "-CAkey", $0] } ?? []))
        guard made.status == 0 else { throw SystemError("make a certificate", made.output, code: 0) }
        try FileStore.replace(folder.file(name), with: try FileStore.read(certificate) + FileStore.read(key))
    }

    private static let program = """
        import select, socket, ssl, sys, threading
        port, target, own, authority = sys.argv[1:]
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(own)
        if authority:
            context.load_verify_locations(authority)
            context.verify_mode = ssl.CERT_REQUIRED
        def say(word):
            print(word, flush=True)
        def serve(raw):
            try:
                client = context.wrap_socket(raw, server_side=True)
            except (ssl.SSLError, OSError):
                return say("-")
            subject = (client.getpeercert() or {}).get("subject", ())
            say(dict(part[0] for part in subject).get("commonName", "-"))
            server = socket.create_connection(("127.0.0.1", int(target)))
            other = {client: server, server: client}
            try:
                while True:
                    ready = [client] if client.pending() else select.select([client, server], [], [])[0]
                    for source in ready:
                        data = source.recv(65536)
                        if not data:
                            return
                        other[source].sendall(data)
            except (ssl.SSLError, OSError):
                pass
            finally:
                client.close()
                server.close()
        listener = socket.create_server(("127.0.0.1", int(port)), backlog=64)
        say("ready")
        while True:
            threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
        """
}
