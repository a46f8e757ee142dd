import Foundation
import Glibc
import Platform
import SQLite
import TestSupport
import Testing

/// States that earlier versions left when they were killed, used by this version (Specification, *Nothing is lost*).
@Suite struct UpgradeTests {
    @Test func `there is something to start with`() {
        #expect(KeptState.all.count >= 3)
    }

    @Test(arguments: KeptState.all)
    func `what a killed program left starts, with nothing lost, nothing twice and no counter lower`(
        _ state: KeptState
    ) throws {
        let folder = TemporaryFolder()
        let truth = try state.unpack(into: folder)
        let environment = try KeptState.environment(truth, in: folder)
        let database = ApplicationDatabase(file: folder.file("state/office.db"))
        // The program is killed again before it saves anything, then stopped in good order twice. So the journal is
        // replayed twice, and the third start has nothing to replay.
        for end in [SIGKILL, SIGTERM, SIGTERM] {
            let exporter = try RunningExporter(folder, environment)
            let ports = try exporter.ready()
            let differences = truth.differences(from: RunningExporter.metrics(ports.metrics))
            #expect(differences.prefix(10) == [])
            var rows: [String] = []
            let areThere = try eventually {
                rows = try truth.differences(from: database)
                return rows.isEmpty && RunningExporter.metrics(ports.metrics)["lkpush_database_rows_waiting"] == 0
            }
            #expect(areThere)
            #expect(rows.prefix(10) == [])
            let troubles = exporter.lines.filter { ["warning", "error"].contains($0["level"] as? String) }
            #expect(troubles.isEmpty, "\(troubles)")
            let status = exporter.process.end(with: end)
            #expect(status == (end == SIGKILL ? 128 + SIGKILL : 0))
            #expect(try truth.differences(from: database).prefix(10) == [])
        }
    }

    @Test(arguments: KeptState.all)
    func `histograms whose buckets are others now start from zero, and nothing else does`(
        _ state: KeptState
    ) throws {
        let folder = TemporaryFolder()
        let truth = try state.unpack(into: folder)
        var environment = try KeptState.environment(truth, in: folder)
        environment["HISTOGRAM_LONG_BUCKETS"] = "true"
        let exporter = try RunningExporter(folder, environment)
        let samples = RunningExporter.metrics(try exporter.ready().metrics)
        let others = ["lk_participant_lifetime_seconds", "lk_room_duration_seconds"]
        let differences = truth.differences(from: samples).filter { line in !others.contains { line.hasPrefix($0) } }
        #expect(differences.prefix(10) == [])
        // The replay must not observe into these histograms: the durations were pushed before, and would be added to
        // that.
        let started = samples.filter { sample in others.contains { sample.key.hasPrefix($0 + "_count") } }
        #expect(started.values.allSatisfy { $0 == 0 }, "\(started)")
        #expect(exporter.process.end(with: SIGTERM) == 0)
    }

    /// The earlier program refuses a format above 1, and cannot read a table with another shape.
    @Test func `what this version leaves after a clean stop is what the first one can read`() throws {
        let folder = TemporaryFolder()
        let exporter = try RunningExporter(folder, [:])
        _ = try exporter.ready()
        #expect(exporter.process.end(with: SIGTERM) == 0)
        let state = StateFolder(folder)
        let journal = try Connection(path: state.journal)
        defer { journal.close() }
        var found: [String] = []
        try journal.rows("PRAGMA user_version") { found.append("format \($0.int64(at: 0))") }
        try journal.rows("SELECT value FROM meta WHERE key = 'format'") { found.append("format \($0.text(at: 0))") }
        #expect(found == ["format 1", "format 1"])
        var tables: [String: [String]] = [:]
        try journal.rows(
            """
            SELECT m.name, c.name FROM sqlite_schema m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'
            ORDER BY m.name, c.cid
            """
        ) { tables[$0.text(at: 0), default: []].append($0.text(at: 1)) }
        #expect(
            tables == [
                "meta": ["key", "value", "crc"], "events": ["first", "count", "crc", "bytes"],
                "inputs": ["first", "count", "crc", "bytes"], "outbox": ["sequence", "crc", "bytes"],
                "set_aside": ["sequence", "at", "crc", "reason", "row"],
                "ids": ["number", "snapshot", "kind", "latest", "crc", "bytes"], "shipped": ["number", "crc", "key"],
            ])
        #expect(
            try columns(of: "lkpush_outbox", in: folder.file("state/office.db")) == [
                "journal", "sequence", "applied_at",
            ])
        #expect(!state.snapshots.isEmpty)
        for path in state.snapshots {
            // The file has a magic number, the format, and the length of the header. In the body, field 1 is the state,
            // whose field 1 is the version.
            let bytes = try FileStore.read(path, limit: 1 << 20)
            #expect(Array(bytes[8..<12]) == [1, 0, 0, 0])
            let body = bytes[(32 + Int(bytes[12]) + Int(bytes[13]) << 8)...]
            #expect(Array(body.prefix(1)) == [10])
            let afterLength = body.dropFirst().drop { $0 >= 0x80 }.dropFirst()
            #expect(Array(afterLength.prefix(2)) == [8, 1])
        }
    }

    private func columns(of table: String, in file: String) throws -> [String] {
        try ApplicationDatabase(file: file).rows("SELECT name FROM pragma_table_info('\(table)') ORDER BY cid")
            .compactMap {
                $0[0]
            }
    }
}
