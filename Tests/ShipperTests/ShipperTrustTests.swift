import Platform
import Shipper
import TestSupport
import Testing

/// Client certificates, with a server that asks for them.
@Suite(.enabled(if: ClientCertificateServer.isAvailable, "needs /usr/bin/python3"))
struct ShipperTrustTests {
    @Test func `a new client certificate is used under load, and no request fails`() throws {
        let receiver = try ScriptedReceiver()
        let server = try ClientCertificateServer(before: receiver.port)
        let folder = TemporaryFolder()
        // One file holds the certificate and its key, so that both change at one moment.
        let file = folder.file("client.pem")
        try FileStore.replace(file, with: try server.issue("first"))
        let fixture = try ShipperFixture("https://127.0.0.1:\(server.port)/write") { settings in
            settings.authorityFile = server.certificate
            settings.certificateFile = file
            settings.keyFile = file
        }
        try fixture.shipper.makeFirstReading()
        for name in ["first", "second", "third"] {
            try FileStore.replace(file, with: try server.issue(name))
            #expect(eventually { server.names.last == name })
            #expect(fixture.run(readings: 10))
        }
        let report = fixture.stop()
        #expect(report.accepted == report.enqueued)
        #expect(fixture.own("errors_total") == 0)
        #expect(fixture.own("retries_total") == 0)
        var names = server.names
        // The same certificate may have come on several connections.
        for name in ["first", "second", "third"] {
            #expect(names.first == name)
            names.removeAll { $0 == name }
        }
        #expect(names.isEmpty)
        #expect(!receiver.requests.isEmpty)
    }

    @Test func `without a client certificate nothing is taken, and nothing is lost before there is one`() throws {
        let receiver = try ScriptedReceiver()
        let server = try ClientCertificateServer(before: receiver.port)
        let folder = TemporaryFolder()
        let file = folder.file("client.pem")
        // A certificate of another authority.
        let stranger = try ClientCertificateServer(before: receiver.port)
        try FileStore.replace(file, with: try stranger.issue("stranger"))
        let fixture = try ShipperFixture("https://127.0.0.1:\(server.port)/write") { settings in
            settings.authorityFile = server.certificate
            settings.certificateFile = file
            settings.keyFile = file
        }
        try fixture.shipper.makeFirstReading()
        #expect(eventually { server.names.count >= 2 })
        #expect(server.names.allSatisfy { $0 == "-" })
        #expect(receiver.requests.isEmpty)
        #expect(eventually { fixture.errors("tls") > 0 })
        try FileStore.replace(file, with: try server.issue("known"))
        #expect(eventually { !receiver.requests.isEmpty })
        #expect(server.names.last == "known")
        let report = fixture.stop()
        #expect(report.accepted == report.enqueued)
    }
}
