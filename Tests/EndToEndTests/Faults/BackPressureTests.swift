import Platform
import TestSupport
import Testing

/// Overload: the answers are those of the specification, in time, and repeats are not counted twice.
@Suite(.serialized) struct BackPressureTests {
    /// An answer leaves within 1 s. The rest is for its way to the sender.
    private static let answer = Duration.seconds(2)

    private func expectAll(
        _ day: FaultDay, _ source: FaultDay.Source, _ record: RetryingSender.Record, _ exporter: MortalExporter
    ) throws {
        let expected = try day.reduction(source)
        var problems = try exporter.differences(from: expected.all, ignoring: FaultDay.isDuplicates)
        problems += day.deliveryProblems(record, expected, exporter.samples)
        #expect(problems.isEmpty, "\(problems.prefix(20).joined(separator: "\n"))")
        #expect(Promptness.holds(record.slowest, within: Self.answer), "\(record.slowest)")
        #expect(record.retryAfters == 0, "LiveKit's own back-off is longer")
        #expect(record.unanswered == 0)
    }

    @Test func `a crowd before the smallest queue is answered and counted once`() throws {
        let day = try FaultDay()
        let exporter = MortalExporter(
            TemporaryFolder(), FaultDay.environment(.metadata).merging(["QUEUE_SIZE": "1"]) { $1 })
        try exporter.startAndWait()
        let sender = RetryingSender(
            day.webhooks, to: exporter.webhooks, connections: 33, patience: .untilAnswered(scaledBy: 0.05))
        #expect(sender.waitUntilAllSettled())
        try expectAll(day, .metadata, sender.stop(), exporter)
        try exporter.terminate()
    }

    @Test func `a queue that stays full is said, and the repeats are counted once`() throws {
        // Answers of the database come late, but before the recorder goes on without them. On a very busy machine the
        // recorder does go on, and there may be room for all events. Then the test tries again.
        var isSaid = false
        for _ in 0..<20 where !isSaid { isSaid = try expectRefusals() }
        #expect(isSaid)
    }

    /// Returns true if a webhook was refused. Expects in both cases that everything is counted once.
    private func expectRefusals() throws -> Bool {
        let folder = TemporaryFolder()
        let day = try FaultDay()
        let server = try PostgresServer.shared()
        let proxy = try StallingProxy(to: server.port)
        let application = try ApplicationDatabase(server, port: proxy.port)
        try application.fill(day.rooms, in: folder)
        let exporter = MortalExporter(
            folder,
            FaultDay.environment(.database).merging(["DATABASE_URL": application.url, "QUEUE_SIZE": "1"]) { $1 })
        try exporter.startAndWait()
        proxy.change(to: .passing(delay: .milliseconds(50)))
        let sender = RetryingSender(
            day.webhooks, to: exporter.webhooks, connections: 33, patience: .untilAnswered(scaledBy: 0.05))
        #expect(sender.waitUntilAllSettled())
        proxy.change(to: .passing(delay: .zero))
        let record = sender.stop()
        // If the database is too slow on this machine, a few events count under `unknown`. Each still counts once.
        let expected = try day.reduction(.database)
        var differences: [String] = []
        let isEqual = eventually {
            differences = Comparison.differences(
                expected: Self.withoutOrganizations(expected.all), found: Self.withoutOrganizations(exporter.samples))
            return differences.isEmpty
        }
        #expect(isEqual, "\(differences.prefix(20).joined(separator: "\n"))")
        #expect(day.deliveryProblems(record, expected, exporter.samples) == [])
        #expect(Promptness.holds(record.slowest, within: Self.answer), "\(record.slowest)")
        try exporter.terminate()
        return record.refusals(503) > 0
    }

    /// The samples of events, summed over all organizations.
    private static func withoutOrganizations(_ samples: [String: Double]) -> [String: Double] {
        var sums: [String: Double] = [:]
        for (key, value) in Comparison.driven(samples) {
            if FaultDay.isDuplicates(key) || key.hasPrefix("lk_org_") || key.hasPrefix("lk_webhook_delivery_lag") {
                continue
            }
            let labels = key.split(separator: ",").filter { !$0.contains("org_id=") }.joined(separator: ",")
            let open = key.contains("{org_id=") ? "\(key.prefix { $0 != "{" }){" : ""
            sums[open + labels, default: 0] += value
        }
        // A gauge that is 0 may be missing for an organization.
        return sums.filter { $0.value != 0 }
    }

    @Test func `a commit that comes late is answered before it, and its event is kept`() throws {
        let folder = TemporaryFolder()
        let day = try FaultDay()
        let disk = try FaultyDisk(root: folder.file("state"), in: folder)
        let exporter = MortalExporter(
            folder,
            FaultDay.environment(.metadata).merging(["DATABASE_URL": "sqlite:" + folder.file("office.db")]) { $1 })
        try exporter.startAndWait(disk.environment)
        try disk.begin(.slow(.milliseconds(1_500)))
        let sender = RetryingSender(
            day.webhooks, to: exporter.webhooks, connections: 33, patience: .untilAnswered(scaledBy: 0.2))
        #expect(sender.wait { $0.refusals(503) > 20 })
        #expect(LoopbackClient.get("/healthz", port: exporter.webhooks)?.status == 200)
        try disk.begin(nil)
        #expect(sender.waitUntilAllSettled())
        let record = sender.stop()
        try expectAll(day, .metadata, record, exporter)
        let duplicates = exporter.samples.filter { FaultDay.isDuplicates($0.key) }.values.reduce(0, +)
        #expect(duplicates > 4, "the events that were answered 503 were kept")
        try exporter.terminate()
    }
}
