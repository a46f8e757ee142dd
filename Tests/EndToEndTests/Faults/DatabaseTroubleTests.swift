import Glibc
import Platform
import TestSupport
import Testing

/// A PostgreSQL that is away, slow, silent or cannot write. Webhooks are answered at once, metrics of events go on, and
/// every row arrives once when the database is back.
@Suite(.serialized) struct DatabaseTroubleTests {
    /// An answer leaves within 1 s. The rest is for its way to the sender.
    private static let answer = Duration.seconds(2)
    private let folder = TemporaryFolder()

    private func exporter(_ application: ApplicationDatabase, _ more: [String: String] = [:]) -> MortalExporter {
        MortalExporter(
            folder,
            FaultDay.environment(.metadata).merging(["DATABASE_URL": application.url, "QUEUE_SIZE": "10000"]) { $1 }
                .merging(more) { $1 })
    }

    private func send(
        _ posts: ArraySlice<Day.Post>, to exporter: MortalExporter, pace: Duration = .zero,
        while body: (RetryingSender) throws -> Void = { _ in }
    ) throws {
        let sender = RetryingSender(
            posts.map(\.webhook), to: exporter.webhooks, patience: .untilAnswered(scaledBy: 0.01), pace: pace)
        try body(sender)
        #expect(sender.waitUntilAllSettled())
        let record = sender.stop()
        exporter.note(record, of: posts)
        try expectNoRefusal(record, exporter)
        #expect(zip(posts, record.outcomes).allSatisfy { $0.status == $1.status })
    }

    /// Expects that no webhook was refused because of the database. A disk that is slow for a moment may cause a
    /// refusal.
    private func expectNoRefusal(_ record: RetryingSender.Record, _ exporter: MortalExporter) throws {
        print("\(record.outcomes.count) webhooks, the slowest answer took \(record.slowest)")
        #expect(Promptness.holds(record.slowest, within: Self.answer), "\(record.slowest)")
        #expect(record.unanswered == 0)
        let late = "lkpush_webhook_rejected_total{reason=\"commit_late\"}"
        #expect(record.refusals(503) <= Int(exporter.samples[late] ?? 0))
    }

    /// Expects the metrics of the events, whatever state the database is in.
    private func expectFigures(_ expected: Reduction, at exporter: MortalExporter) throws {
        let differences = try exporter.differences(from: expected.all)
        #expect(differences.isEmpty, "\(differences.prefix(20).joined(separator: "\n"))")
    }

    private func waitForRows(_ exporter: MortalExporter) throws {
        let isDone = try eventually {
            try exporter.expectAlive()
            return exporter.samples["lkpush_database_rows_waiting"] == 0
        }
        let figures = exporter.samples.filter { $0.key.hasPrefix("lkpush_database") }
        #expect(isDone, "\(figures) \(exporter.output.suffix(2_000))")
    }

    private func expectTables(_ expected: Reduction, in application: ApplicationDatabase) throws {
        let rows = try ApplicationTables(application).differences(from: expected)
        #expect(rows.isEmpty, "\(rows.prefix(20).joined(separator: "\n"))")
    }

    private func errors(_ exporter: MortalExporter, _ operation: String) -> Double {
        exporter.samples["lkpush_database_errors_total{operation=\"\(operation)\"}"] ?? 0
    }

    // MARK: The server

    @Test func `a server that is down at the start, and crashes, stops and starts under load`() throws {
        let server = try PostgresServer(isSynced: true)
        let application = try ApplicationDatabase(server)
        let day = try FaultDay()
        let half = day.posts.count / 2
        try server.stop()
        let exporter = exporter(application)
        try exporter.startAndWait()
        try send(day.posts[..<half], to: exporter)
        try expectFigures(try day.reduction(.metadata, half), at: exporter)
        #expect(exporter.samples["lkpush_database_up"] == 0)
        #expect(errors(exporter, "open") >= 1)
        try server.start()
        try send(day.posts[half...], to: exporter, pace: .milliseconds(30)) { sender in
            for share in 1...3 {
                #expect(sender.wait(untilSettled: half * share / 4))
                if share == 2 { try server.stop() } else { try server.crash() }
                try server.start()
            }
        }
        try expectFigures(try day.reduction(.metadata), at: exporter)
        try waitForRows(exporter)
        try exporter.terminate()
        try expectTables(try day.reduction(.metadata), in: application)
    }

    @Test func `connections that are ended again and again in the middle of transactions`() throws {
        let server = try PostgresServer.shared()
        let application = try ApplicationDatabase(server)
        let day = try FaultDay(others: 3_000)
        let exporter = exporter(application)
        try exporter.startAndWait()
        var ended = 0
        try send(day.posts[...], to: exporter, pace: .milliseconds(4)) { sender in
            while !sender.isAllSettled {
                // Only connections with an open transaction count.
                let count = try server.query(
                    """
                    SELECT COUNT(*) FILTER (WHERE done) FROM (SELECT pg_terminate_backend(pid) AS done
                    FROM pg_stat_activity WHERE datname = '\(application.name)' AND xact_start IS NOT NULL
                    AND application_name = 'lkpush') AS ended
                    """)
                ended += Int(count) ?? 0
                Pause.wait(.milliseconds(20))
            }
        }
        print("\(ended) transactions were ended")
        #expect(ended > 0)
        try expectFigures(try day.reduction(.metadata), at: exporter)
        try waitForRows(exporter)
        try exporter.terminate()
        try expectTables(try day.reduction(.metadata), in: application)
    }

    @Test func `a server that may only be read, and one without a free connection`() throws {
        let server = try PostgresServer.shared()
        let application = try ApplicationDatabase(server)
        let day = try FaultDay()
        let third = day.posts.count / 3
        let exporter = exporter(application)
        try exporter.startAndWait()
        try send(day.posts[..<third], to: exporter)
        try waitForRows(exporter)
        try server.query("ALTER DATABASE \(application.name) SET default_transaction_read_only = on")
        try server.terminateConnections(to: application.name)
        try send(day.posts[third..<2 * third], to: exporter)
        try expectFigures(try day.reduction(.metadata, 2 * third), at: exporter)
        #expect(eventually { errors(exporter, "write") >= 1 })
        #expect((exporter.samples["lkpush_database_rows_waiting"] ?? 0) > 0)
        try server.query("ALTER DATABASE \(application.name) RESET default_transaction_read_only")
        try waitForRows(exporter)

        // Superusers are always admitted.
        try server.query("ALTER DATABASE \(application.name) CONNECTION LIMIT 0")
        try server.terminateConnections(to: application.name)
        let before = errors(exporter, "open")
        try send(day.posts[(2 * third)...], to: exporter)
        try expectFigures(try day.reduction(.metadata), at: exporter)
        #expect(eventually { errors(exporter, "open") > before })
        try server.query("ALTER DATABASE \(application.name) CONNECTION LIMIT -1")
        try waitForRows(exporter)
        try exporter.terminate()
        try expectTables(try day.reduction(.metadata), in: application)
    }

    @Test func `rows of rooms that could not be looked up find their organization later`() throws {
        let server = try PostgresServer(isSynced: true)
        let application = try ApplicationDatabase(server)
        let day = try FaultDay()
        try application.fill(day.rooms, in: folder)
        try server.stop()
        let exporter = exporter(application, ["ORG_SOURCE": "database"])
        try exporter.startAndWait()
        try send(day.posts[...], to: exporter)
        // The events wait for a while, and then count under `unknown`.
        let isCounted = eventually {
            let samples = exporter.samples
            let counted = samples.filter { $0.key.hasPrefix("lk_webhook_events_total") }.values.reduce(0, +)
            return (samples["lk_org_lookup_failures_total{reason=\"lookup_error\"}"] ?? 0) == counted && counted > 400
        }
        let found = exporter.samples.filter { $0.key.hasPrefix("lk_org_") || $0.key.hasPrefix("lk_webhook_events") }
        #expect(isCounted, "\(found)")
        try server.start()
        try waitForRows(exporter)
        try exporter.terminate()
        try expectTables(try day.reduction(.database), in: application)
    }

    // MARK: The network

    @Test func `rooms that are known go on while the database is silent, new ones follow`() throws {
        let server = try PostgresServer.shared()
        let proxy = try StallingProxy(to: server.port)
        let application = try ApplicationDatabase(server, port: proxy.port)
        let known = "0f0e0d0c-0b0a-4908-8706-050403020100"
        try application.fill([known: "org_known"], in: folder)
        let exporter = exporter(application, ["ORG_SOURCE": "database"])
        try exporter.startAndWait()
        try send([SignedWebhook.make("room_started", room: known)], to: exporter)
        let labels = "{org_id=\"org_known\",project=\"default\",region=\"here\"}"
        let (rooms, active) = ("lk_room_active" + labels, "lk_participants_active" + labels)
        #expect(eventually { exporter.samples[rooms] == 1 })
        proxy.change(to: .stalled)
        let begun = SystemTime().monotonic()
        // An event of an unknown room waits. The known room does not wait behind it.
        let new = "1f0e0d0c-0b0a-4908-8706-050403020100"
        var webhooks = [SignedWebhook.make("room_started", room: new)]
        for number in 1...200 {
            webhooks.append(SignedWebhook.make("participant_joined", room: known, identity: "\(number)"))
        }
        try send(webhooks, to: exporter)
        // The event of the new room waits for 10 s. Meanwhile the others are counted.
        var samples: [String: Double] = [:]
        let isCounted = eventually {
            samples = exporter.samples
            return samples[active] == 200
        }
        #expect(isCounted, "\(samples[active] ?? -1)")
        let isNewWaiting = samples["lk_org_lookup_failures_total{reason=\"lookup_error\"}"] ?? 0 == 0
        #expect(isNewWaiting || SystemTime().monotonic().since(begun) > .seconds(10))
        // The look-up may fail first, or the rows, or a report that happened to be due.
        let isNoticed = eventually {
            let errors = exporter.samples.filter { $0.key.hasPrefix("lkpush_database_errors_total") }
            return errors.values.reduce(0, +) >= 1
        }
        #expect(isNoticed)
        proxy.change(to: .passing(delay: .zero))
        try waitForRows(exporter)
        #expect(exporter.samples["lkpush_database_up"] == 1)
        let present = try application.rows("SELECT COUNT(*), COUNT(DISTINCT user_id) FROM room_presence")
        #expect(present == [["200", "200"]])
        try exporter.terminate()
    }

    private func send(_ webhooks: [RetryingSender.Webhook], to exporter: MortalExporter) throws {
        let sender = RetryingSender(webhooks, to: exporter.webhooks, patience: .untilAnswered(scaledBy: 0.01))
        #expect(sender.waitUntilAllSettled())
        let record = sender.stop()
        try expectNoRefusal(record, exporter)
        #expect(record.accepted == webhooks.count)
    }

    /// Ten hours of an office in less than a minute, most of them without a database. The program is killed in between.
    @Test func `a database that is away for hours delays rows on the disk and loses none`() throws {
        let server = try PostgresServer.shared()
        let proxy = try StallingProxy(to: server.port)
        let application = try ApplicationDatabase(server, port: proxy.port)
        let day = try Day("day")
        let count = day.posts.count
        let exporter = exporter(application, ["SNAPSHOT_INTERVAL": "1s"])
        try exporter.startAndWait()
        try send(day.posts[..<(count / 10)], to: exporter)
        let memory = "process_resident_memory_bytes"
        let before = try #require(exporter.samples[memory])
        proxy.change(to: .cut)
        try send(day.posts[(count / 10)..<(count / 2)], to: exporter)
        proxy.change(to: .stalled)
        try exporter.kill()
        try exporter.startAndWait()
        try send(day.posts[(count / 2)...], to: exporter)
        let samples = exporter.samples
        let waiting = samples["lkpush_database_rows_waiting"] ?? 0
        // At most 2,000 rows are in memory: `RowBacklog.Limits`.
        #expect(waiting > 4_000)
        print("\(waiting) rows waited, memory \(before) before and \(samples[memory] ?? 0) after")
        #expect((samples[memory] ?? .infinity) < before + 40_000_000)
        var expected = Reduction(region: "here")
        for post in day.posts where !post.isForged { try expected.take(post.body) }
        let differences = try exporter.differences(from: expected.all, ignoring: FaultDay.isDuplicates)
        #expect(differences.isEmpty, "\(differences.prefix(20).joined(separator: "\n"))")
        proxy.change(to: .passing(delay: .zero))
        try waitForRows(exporter)
        try exporter.terminate()
        try expectTables(expected, in: application)
    }

    /// Snapshots are made all the time. Each kill may come between a snapshot and the rows that it counts as made.
    @Test func `deaths while the database is away cost no row`() throws {
        let server = try PostgresServer.shared()
        let proxy = try StallingProxy(to: server.port)
        let application = try ApplicationDatabase(server, port: proxy.port)
        let day = try FaultDay(others: 2_000)
        proxy.change(to: .cut)
        let exporter = exporter(application, ["SNAPSHOT_INTERVAL": "50ms"])
        try exporter.startAndWait()
        let sender = RetryingSender(
            day.webhooks, to: exporter.webhooks, patience: .untilAnswered(scaledBy: 0.01), pace: .milliseconds(10))
        for share in 1...15 {
            #expect(sender.wait(untilSettled: day.posts.count * share / 16))
            try exporter.kill()
            try exporter.startAndWait()
        }
        #expect(sender.waitUntilAllSettled())
        #expect(sender.stop().accepted == day.posts.count { !$0.isForged })
        proxy.change(to: .passing(delay: .zero))
        try waitForRows(exporter)
        try exporter.terminate()
        try expectTables(try day.reduction(.metadata), in: application)
    }
}
