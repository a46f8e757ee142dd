import Glibc
import Platform
import TestSupport
import Testing

/// Whole recorded days over HTTP: `/metrics`, a real Prometheus and the database agree with the truth.
@Suite(.serialized) struct DayTests {
    /// The source of a room's organization.
    enum Source: String, CaseIterable { case metadata, database }

    /// The database, and the source of organizations.
    struct Setup: Sendable, CustomTestStringConvertible {
        let database: ApplicationDatabase.Kind
        let source: Source

        static let all = ApplicationDatabase.Kind.allCases.flatMap { kind in
            Source.allCases.map { Setup(database: kind, source: $0) }
        }

        var testDescription: String { "\(database), organizations from \(source)" }
    }

    @Test(arguments: ["small", "day"], Setup.all)
    func `a day adds up everywhere`(name: String, setup: Setup) throws {
        let day = try Day(name)
        let folder = TemporaryFolder()
        let source = setup.source
        let prometheus = try PrometheusServer()
        let database = try ApplicationDatabase(setup.database, in: folder)
        let exporter = try RunningExporter(folder, try environment(day, folder, source, database, prometheus))
        let ports = try exporter.ready()

        let repeats = day.send(to: ports.webhooks)

        let expected = try reduction(day, source)
        RunningExporter.expect(expected.all, at: ports.metrics, repeats: repeats)
        expectMaker(of: day, at: ports.metrics)
        try expectWindows(expected, at: ports.metrics)
        try expectPushed(from: ports.metrics, to: prometheus, exporter)
        expectNoSecrets(of: day, in: exporter, ports.metrics)

        #expect(exporter.process.end(with: SIGTERM) == 0)
        try expectTables(expected, database)
        let after = exporter.output
        #expect(!after.contains("\"level\":\"error\""), "\(after.split(separator: "\n").suffix(5))")
    }

    // MARK: Setting up

    private func environment(
        _ day: Day, _ folder: TemporaryFolder, _ source: Source, _ database: ApplicationDatabase,
        _ prometheus: PrometheusServer
    ) throws -> [String: String] {
        var variables = [
            "GRAFANA_PROM_REMOTE_WRITE_URL": prometheus.writeURL, "PUSH_INTERVAL": "1s", "IDLE_PUSH_INTERVAL": "1s",
            "ACTIVITY_REFRESH": "1s", "EGRESS_REFRESH": "1s", "PRESENCE_REFRESH": "1s", "LICENSE_REFRESH": "1s",
            "DATABASE_URL": database.url,
            // Ten hours pass in seconds here. While the database is asked about a room, as many events come as in an
            // hour of the day, and all of them must wait.
            "QUEUE_SIZE": "50000",
        ]
        switch source {
        case .metadata:
            variables["ORG_SOURCE"] = "metadata"
            variables["ORG_METADATA_KEY"] = "org_id"
        case .database:
            variables["ORG_SOURCE"] = "database"
            try database.fill(day.truth.rooms, in: folder)
        }
        return variables
    }

    private func reduction(_ day: Day, _ source: Source) throws -> Reduction {
        var reduction = Reduction(region: "here", organizations: source == .database ? day.truth.rooms : [:])
        for post in day.posts where !post.isForged { try reduction.take(post.body) }
        #expect(reduction.unresolved == 0)
        return reduction
    }

    // MARK: Expecting

    /// Expects the counters of the generator of the day, and that refused webhooks were counted.
    private func expectMaker(of day: Day, at port: UInt16) {
        let found = RunningExporter.metrics(port)
        for (key, count) in day.truth.counters(region: "here") { #expect(found[key] == count, "\(key)") }
        let refused = found["lkpush_webhook_rejected_total{reason=\"bad_signature\"}"]
        #expect(refused == Double(day.posts.count { $0.isForged }))
    }

    /// Expects the gauges that come from the database.
    private func expectWindows(_ expected: Reduction, at port: UInt16) throws {
        var wanted: [String: Double] = [:]
        let organizations = Set(expected.sessions.keys.map(\.organization))
            .union(expected.recordings.values.map(\.organization))
        for organization in organizations {
            let shared = ["org_id": organization, "project": "default", "region": "here"]
            let own = expected.sessions.filter { $0.key.organization == organization }
            let completed = expected.recordings.values.filter { $0.organization == organization && $0.isCompleted }
            wanted[Exposition.key("lk_participants_connected", shared)] = 0
            for window in ["1d", "7d", "30d", "month"] {
                let labels = shared.merging(["window": window]) { $1 }
                wanted[Exposition.key("lk_egress_completed", labels)] = Double(completed.count)
                wanted[Exposition.key("lk_egress_total_duration_seconds", labels)] =
                    completed.reduce(0) { $0 + ($1.seconds ?? 0) }
                guard window != "1d" else { continue }
                wanted[Exposition.key("lk_unique_participants", labels)] = Double(Set(own.keys.map(\.identity)).count)
                wanted[Exposition.key("lk_participant_total_online_seconds", labels)] =
                    own.values.reduce(0) { $0 + $1.seconds }
            }
        }
        var differences: [String] = []
        let isEqual = Waiting.until("the windows") {
            let found = RunningExporter.metrics(port)
            differences = wanted.sorted { $0.key < $1.key }.compactMap { key, value in
                guard let got = found[key] else { return "\(key): absent" }
                return abs(got - value) <= 1e-6 * max(1, value) ? nil : "\(key): \(value) expected, \(got) found"
            }
            return differences.isEmpty
        }
        #expect(isEqual, "\(differences.prefix(20).joined(separator: "\n"))")
    }

    /// Expects that Prometheus has the samples of `/metrics`, with the labels of the specification.
    private func expectPushed(from port: UInt16, to prometheus: PrometheusServer, _ exporter: RunningExporter) throws {
        var differences: [String] = []
        let isEqual = Waiting.until("Prometheus") {
            let expected = RunningExporter.metrics(port).filter { $0.key.hasPrefix("lk_") }
            let found: [String: Double]
            do {
                found = try Pushed.samples(in: prometheus)
            } catch {
                differences = ["\(error)"]
                return false
            }
            differences = Comparison.differences(expected: expected, found: found)
            return !expected.isEmpty && expected.count == found.count && differences.isEmpty
        }
        let log = exporter.output.split(separator: "\n").filter { !$0.contains("\"level\":\"debug\"") }.suffix(10)
        #expect(isEqual, "\((differences.prefix(20) + log.map(String.init)).joined(separator: "\n"))")
    }

    private func expectTables(_ expected: Reduction, _ database: ApplicationDatabase) throws {
        let differences = try ApplicationTables(database).differences(from: expected)
        #expect(differences.isEmpty, "\(differences.prefix(20).joined(separator: "\n"))")
    }

    /// Expects no personal data in the log or on a page, although every event is logged.
    private func expectNoSecrets(of day: Day, in exporter: RunningExporter, _ port: UInt16) {
        var forbidden = [
            BuiltProgram.secret, "9sOfCoL9M0Zz8gYxyeHojVivsI2wGxXhLvQAhlydHEO", "a8MZsyBtCzaW", "turnPassword",
            "streamKey", "metadata\\\"", "{\\\"org_id", "sip_+49", "studio",
        ]
        for post in day.posts.prefix(200) {
            forbidden.append(post.token)
            let body = String(decoding: post.body, as: UTF8.self)
            guard let name = body.firstRange(of: "\"name\":\"User ") else { continue }
            forbidden.append(String(body[name.upperBound...].prefix { $0 != "\"" }.reduce("User ") { "\($0)\($1)" }))
        }
        let pages = ["/metrics", "/", "/readyz", "/healthz"].map { LoopbackClient.get($0, port: port)?.body ?? "" }
        let output = exporter.output
        #expect(output.count > 1_000)
        for word in Set(forbidden) {
            #expect(!output.contains(word), "the log holds \(word)")
            for page in pages { #expect(!page.contains(word), "a page holds \(word)") }
        }
    }
}
