import Foundation
import Glibc
import Platform
import SQLite
import TestSupport
import Testing

/// The state of a killed earlier version, started by this one: Specification, *Nothing is lost*.
@Suite struct UpgradeTests {
    @Test func `there is something to start with`() throws {
        #expect(KeptState.all.count >= 6)
        // Of the first version less is known.
        for state in KeptState.all where !state.testDescription.hasPrefix("0.1.0/") {
            let truth = try state.unpack(into: TemporaryFolder())
            let counts = [truth.refused?.count, truth.presence?.count, truth.open?.count, truth.pushed?.series.count]
            let webhooks = [truth.echoes?.count, truth.endings?.letters.count]
            #expect((counts + webhooks).allSatisfy { $0 ?? 0 > 0 }, "\(state)")
        }
    }

    @Test(arguments: KeptState.all)
    func `what a killed program left starts, with nothing lost, nothing twice and no counter lower`(
        _ state: KeptState
    ) throws {
        let folder = TemporaryFolder()
        let truth = try state.unpack(into: folder)
        let environment = try KeptState.environment(truth, in: folder)
        let database = ApplicationDatabase(file: folder.file("state/office.db"))
        // Killed again before it saved anything, then stopped in order: the journal is replayed twice, and once it is not.
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
            expectNoTrouble(exporter, truth)
            let status = exporter.process.end(with: end)
            #expect(status == (end == SIGKILL ? 128 + SIGKILL : 0))
            #expect(try truth.differences(from: database).prefix(10) == [])
        }
        let journal = ApplicationDatabase(file: folder.file("state/journal.db"))
        #expect(try truth.differences(fromSetAsideIn: journal).prefix(10) == [])
    }

    /// Nothing to warn of but the rows that the database is known to refuse.
    private func expectNoTrouble(_ exporter: RunningExporter, _ truth: KeptState.Truth) {
        let troubles = exporter.lines.filter { line in
            let isExpected =
                truth.refused?.isEmpty == false
                && line["msg"] as? String == "the database refused rows: they are set aside"
            // On a busy machine the test's own receiver may be slow. That is no trouble of an upgrade.
            let isSlow = (line["msg"] as? String)?.hasPrefix("the receiver has not answered for") == true
            return ["warning", "error"].contains(line["level"] as? String) && !isExpected && !isSlow
        }
        #expect(troubles.isEmpty, "\(troubles)")
        #expect(!exporter.output.contains("begin at zero"))
    }

    @Test(arguments: KeptState.all)
    func `what had ended stays so, and what was open ends once`(_ state: KeptState) throws {
        let folder = TemporaryFolder()
        let truth = try state.unpack(into: folder)
        guard let echoes = truth.echoes, let endings = truth.endings else { return }
        let webhooks = echoes + endings.letters
        #expect(!echoes.isEmpty && !endings.letters.isEmpty)
        let environment = try KeptState.environment(truth, in: folder)
        // The second start is told all of it again, under the same ids.
        for (end, isRepeat) in [(SIGKILL, false), (SIGTERM, true)] {
            var changes = isRepeat ? [:] : endings.allChanges
            changes[isRepeat ? "lk_webhook_duplicates_total" : "lk_webhook_events_total"] = Double(webhooks.count)
            let exporter = try RunningExporter(folder, environment)
            let ports = try exporter.ready()
            let expected = Self.countsAndOpen(ports.metrics).merging(changes) { $0 + $1 }
            try truth.post(webhooks, to: ports.webhooks, by: environment)
            var found: [String: Double] = [:]
            let isRight = eventually {
                found = Self.countsAndOpen(ports.metrics)
                return found == expected
            }
            let differences = expected.filter { found[$0.key] != $0.value }.map { "\($0), not \(found[$0.key] ?? -1)" }
            #expect(isRight, "\(differences)")
            let areWritten = eventually {
                RunningExporter.metrics(ports.metrics)["lkpush_database_rows_waiting"] == 0
            }
            #expect(areWritten)
            expectNoTrouble(exporter, truth)
            #expect(exporter.process.end(with: end) == (end == SIGKILL ? 128 + SIGKILL : 0))
        }
        let database = ApplicationDatabase(file: folder.file("state/office.db"))
        #expect(try truth.differences(from: database, absent: endings.absent).prefix(10) == [])
    }

    /// Sums of what LiveKit did and of what is open, by metric.
    private static func countsAndOpen(_ port: UInt16) -> [String: Double] {
        KeptState.Truth.sums(RunningExporter.metrics(port)).filter { name, _ in
            name.hasPrefix("lk_") && !name.hasPrefix("lk_webhook_delivery_lag")
                && ["_total", "_count", "_active"].contains { name.hasSuffix($0) }
                && !Comparison.isRead(name)
        }
    }

    @Test(arguments: KeptState.all)
    func `what is pushed goes on above what was, and ends what is gone`(_ state: KeptState) throws {
        let folder = TemporaryFolder()
        let truth = try state.unpack(into: folder)
        guard let pushed = truth.pushed else { return }
        #expect(pushed.series.count > 100)
        let receiver = try ScriptedReceiver()
        var environment = try KeptState.environment(truth, in: folder)
        environment["GRAFANA_PROM_REMOTE_WRITE_URL"] = receiver.url
        environment["PUSH_INTERVAL"] = "100ms"
        environment["STALE_ON_STOP"] = "false"
        let exporter = try RunningExporter(folder, environment)
        _ = try exporter.ready()
        let killed_ms = Int64(truth.killed_at + 1) * 1_000
        var log = WriteLog([])
        let isWhole = receiver.wait { requests in
            log = WriteLog(requests)
            // What waited for the receiver comes too.
            let waited = log.accepted.values.joined().count { $0.milliseconds < killed_ms }
            return Double(waited) >= truth.samples_waiting ?? 0 && !Self.versions(since: killed_ms, in: log).isEmpty
                && pushed.series.keys.allSatisfy { log.accepted[$0] != nil || Self.hasNewLabel($0, in: log) }
        }
        #expect(isWhole, "\(pushed.series.keys.filter { log.accepted[$0] == nil }.sorted().prefix(10))")
        #expect(log.violations.prefix(10) == [])
        for (series, value) in pushed.series {
            let samples = log.accepted[series] ?? []
            #expect(samples.allSatisfy { $0.milliseconds > pushed.read_ms }, "\(series)")
            // What tells the version or the receiver may be gone, with one marker; nothing of LiveKit's is.
            let isGone = samples.first?.isStale == true
            #expect(!isGone || !series.hasPrefix("lk_") && samples.count == 1, "\(series)")
            if truth.isCounter(series) { #expect((log.values(series).first ?? -1) >= value, "\(series)") }
        }
        #expect(Self.versions(since: killed_ms, in: log).count == 1, "\(log.series(of: "lkpush_build_info"))")
        expectNoTrouble(exporter, truth)
        #expect(exporter.process.end(with: SIGTERM) == 0)
    }

    /// The versions that samples of this time or later tell. What waited for the receiver tells the version before.
    private static func versions(since killed_ms: Int64, in log: WriteLog) -> [String] {
        log.series(of: "lkpush_build_info").filter { series in
            (log.accepted[series] ?? []).contains { !$0.isStale && $0.milliseconds >= killed_ms }
        }
    }

    /// The metric tells destinations apart by now, and this series does not: it is left to end by itself.
    private static func hasNewLabel(_ series: String, in log: WriteLog) -> Bool {
        let name = String(series.prefix { $0 != "{" })
        return name.hasPrefix("lkpush_") && !series.contains("destination=")
            && log.series(of: name).contains { $0.contains("destination=") }
    }

    @Test(arguments: KeptState.all)
    func `histograms whose buckets are others now start from zero, and nothing else does`(
        _ state: KeptState
    ) throws {
        let folder = TemporaryFolder()
        let truth = try state.unpack(into: folder)
        var environment = try KeptState.environment(truth, in: folder)
        environment["HISTOGRAM_LONG_BUCKETS"] = truth.labels["HISTOGRAM_LONG_BUCKETS"] == "true" ? "false" : "true"
        let exporter = try RunningExporter(folder, environment)
        let samples = RunningExporter.metrics(try exporter.ready().metrics)
        let others = ["lk_participant_lifetime_seconds", "lk_room_duration_seconds"]
        let differences = truth.differences(from: samples).filter { line in !others.contains { line.hasPrefix($0) } }
        #expect(differences.prefix(10) == [])
        // Not what the replay observed: it was pushed before, and would be added to that.
        let started = samples.filter { sample in others.contains { sample.key.hasPrefix($0 + "_count") } }
        #expect(started.values.allSatisfy { $0 == 0 }, "\(started)")
        #expect(exporter.process.end(with: SIGTERM) == 0)
    }

    /// What the program before refuses, or could not read: a format above 1, a table with another shape.
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
            // Magic, format, length of the header; in the body field 1 is the state, and its field 1 the version.
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
