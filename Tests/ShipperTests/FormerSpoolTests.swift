import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing
import Wire

/// The spool that an earlier process left.
@Suite struct FormerSpoolTests {
    private let folder = TemporaryFolder()

    private func fixture(_ receiver: ScriptedReceiver) throws -> ShipperFixture {
        try ShipperFixture(receiver.url) {
            $0.spool = SpoolSettings(directory: folder.path, maxBytes: .mebibytes(256), maxAge: .seconds(7_200))
        }
    }

    private var path: String { SpoolFile.path(directory: folder.path, destination: "default") }

    /// Runs a process whose receiver takes nothing. Returns the number of samples that it left.
    private func leave() throws -> UInt64 {
        let first = try fixture(ScriptedReceiver(otherwise: .init(503)))
        try first.shipper.makeFirstReading()
        #expect(first.run(readings: 4))
        let report = first.stop()
        #expect(report.kept > 0 && report.kept == report.enqueued)
        return report.kept
    }

    @Test func `one that another program has locked is waited for, and loses nothing`() throws {
        let left = try leave()
        let receiver = try ScriptedReceiver()
        let second = try fixture(receiver)
        do {
            let lock = try SpoolFile(path: path, now: SystemTime().now())
            defer { lock.close() }
            try second.shipper.makeFirstReading()
            #expect(second.run(readings: 5))
            #expect(receiver.requests.isEmpty, "no later sample goes before those that wait")
        }
        #expect(eventually { second.own("samples_accepted_total") > Double(left) && !SpoolFile.exists(at: path) })
        let report = second.stop()
        #expect(report.dropped == 0 && report.rejected == 0)
        // Every reading is there, in order.
        let ups = try receiver.requests.flatMap { try WriteRequest(compressed: $0.body).series }
            .filter { $0.text.hasPrefix("up{") }.flatMap(\.samples).map(\.milliseconds)
        #expect(ups == ups.sorted() && Set(ups).count == ups.count)
    }
}
