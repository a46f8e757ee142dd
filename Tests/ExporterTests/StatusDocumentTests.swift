import Foundation
import HTTPServing
import LiveKit
import Metrics
import Pipeline
import Platform
import Status
import Synchronization
import TestSupport
import Testing
import Wire

@testable import Exporter

/// The status of a running program, over HTTP.
@Suite struct StatusDocumentTests {
    private func start(_ folder: TemporaryFolder, _ changes: [String: String] = [:]) throws -> Service {
        var reader = SettingsReader(IdleService.environment(folder).merging(changes) { $1 })
        let settings = Settings(&reader)
        #expect(reader.problems.isEmpty, "\(reader.problems)")
        let service = try Service(settings, rows: reader.rows, log: Log(level: .error, format: .text))
        try service.start()
        return service
    }

    private func ask(_ service: Service, _ path: String, host: String = "localhost") throws -> RawHTTP.Reply {
        let client = try RawHTTP(port: service.metricsAddress.port)
        return try #require(client.ask("GET", path, headers: [("Host", host)]))
    }

    @Test func `the document tells the process, the configuration without secrets, and every route`() throws {
        let folder = TemporaryFolder()
        let service = try start(folder, ["LIVEKIT_API_SECRET": "a-secret-of-the-test", "JOB": "the-job"])
        defer { _ = service.stop() }
        let reply = try ask(service, "/debug/status")
        #expect(reply.status == 200)
        #expect(reply.header("content-type") == "application/json")
        #expect(!reply.text.contains("a-secret-of-the-test"))
        let document = try StatusDocument(json: reply.body)
        #expect(document.program.version == Version.number)
        #expect(document.program.job == "the-job")
        #expect(document.health.isReady)
        #expect(document.intake.address == service.publicAddress.description)
        #expect(document.settings.contains { $0.name == "LIVEKIT_API_SECRET" && $0.value == "••••" })
        #expect(document.settings.contains { $0.name == "QUEUE_SIZE" && $0.value == "1000" && $0.isDefault })
        #expect(document.journal?.isUp == true)
        #expect(document.destinations.map(\.name) == ["default"])
        #expect(document.database.engine == "sqlite")
        for route in document.routes {
            #expect(try ask(service, route.path).status == 200, "\(route.path)")
        }
        #expect(Set(document.routes.map(\.path)).isSuperset(of: ["/", "/metrics", "/debug/status", "/debug/memory"]))
    }

    @Test func `the page runs only its own script and style`() throws {
        let folder = TemporaryFolder()
        let service = try start(folder)
        defer { _ = service.stop() }
        let reply = try ask(service, "/")
        #expect(reply.header("content-type") == "text/html; charset=utf-8")
        let policy = try #require(reply.header("content-security-policy"))
        func hash(_ tag: String) throws -> String {
            let start = try #require(reply.text.range(of: "<\(tag)>"))
            let end = try #require(reply.text.range(of: "</\(tag)>"))
            let text = Array(reply.text[start.upperBound..<end.lowerBound].utf8)
            return "sha256-" + String(decoding: Digest(of: text.span).text(.standard), as: UTF8.self)
        }
        #expect(
            policy == """
                default-src 'none'; connect-src 'self'; img-src data:; script-src '\(try hash("script"))'; style-src \
                '\(try hash("style"))'; frame-ancestors 'none'; base-uri 'none'
                """)
        #expect(!reply.text.contains("/*status."))
    }

    @Test func `the status is told by address, as localhost and under a configured name, and no other`() throws {
        let folder = TemporaryFolder()
        let service = try start(folder, ["METRICS_ALLOWED_HOSTS": "lkpush.internal, other.example"])
        defer { _ = service.stop() }
        for path in ["/", "/debug/status", "/debug/memory"] {
            for host in ["127.0.0.1", "localhost:9464", "[::1]", "lkpush.internal", "other.example:80"] {
                #expect(try ask(service, path, host: host).status == 200, "\(host)")
            }
            let refused = try ask(service, path, host: "evil.example")
            #expect(refused.status == 403)
            #expect(refused.text.contains("METRICS_ALLOWED_HOSTS"))
        }
        for path in ["/metrics", "/healthz", "/readyz"] {
            #expect(try ask(service, path, host: "evil.example").status == 200)
        }
    }

    @Test func `a name that is no host is a problem of the configuration`() {
        for text in ["a b", "http://lkpush", "lkpush:9464", "*"] {
            var reader = SettingsReader(
                IdleService.environment(TemporaryFolder()).merging(["METRICS_ALLOWED_HOSTS": text]) { $1 })
            _ = Settings(&reader)
            #expect(reader.problems.contains { $0.hasPrefix("METRICS_ALLOWED_HOSTS: ") }, "\(text)")
        }
    }

    @Test func `memory is told by the system, the allocator and the tables`() throws {
        let folder = TemporaryFolder()
        let service = try start(folder)
        defer { _ = service.stop() }
        let memory = try MemoryStatus(json: try ask(service, "/debug/memory").body)
        #expect(memory.process.resident_bytes > 1 << 20)
        #expect(memory.process.threads > 5)
        #expect((memory.allocator?.used_bytes ?? 0) > 0)
        let names = memory.tables.map(\.name)
        #expect(names.count > 8 && Set(names).count == names.count, "\(names)")
    }

    @Test func `LiveKit's API is in the document where it is polled, with the time since when it differs`() throws {
        var reader = SettingsReader(IdleService.environment(TemporaryFolder()))
        let settings = Settings(&reader)
        let (log, time) = (Log(level: .error, format: .text), ShiftedTime(isStanding: true))
        let running = RunningParts(instance: "a", database: "")
        let plan = try Plan(settings, log: log, time: time, isTrial: true)
        let isPolled = Mutex(false)
        let missing = Mutex(0)
        let source = StatusSource(plan, settings, rows: [], running: running, log: log) {
            guard isPolled.withLock({ $0 }) else { return nil }
            var entity = ReconciledEntityStatus()
            (entity.entity, entity.missing) = ("room", missing.withLock { $0 })
            var polls = ReconciliationStatus()
            polls.interval_seconds = 60
            polls.entities = [entity]
            return polls
        }
        let board = StatusBoard(source, time: time)
        #expect(board.document.reconciliation == nil && board.document.replicas == nil)
        isPolled.withLock { $0 = true }
        #expect(board.document.reconciliation?.differs == false && board.document.reconciliation?.differsSince == nil)
        missing.withLock { $0 = 2 }
        let since = try #require(board.document.reconciliation?.differsSince)
        time.elapse(.seconds(500))
        let later = board.document
        #expect(later.reconciliation?.differsSince == since && later.now > since)
        #expect(later.health.problems.map(\.name).contains("webhooks_missing"))
        missing.withLock { $0 = 0 }
        #expect(board.document.reconciliation?.differsSince == nil)
    }

    @Test func `usage of now is told by kind, with agents and calls, and a table that is there`() throws {
        let folder = TemporaryFolder()
        let service = try start(folder)
        defer { _ = service.stop() }
        let people = [
            ("1", ""), ("2", ""), ("A", #","kind":"AGENT","attributes":{"lk.agent.name":"helper"}"#),
            ("S", #","kind":"SIP","attributes":{"sip.callID":"C","sip.ruleID":"R"}"#),
        ]
        for (name, more) in people {
            let now = SystemTime().now()
            let body = Array(
                #"""
                {"event":"participant_joined","id":"EV_\#(name)","createdAt":"\#(now.milliseconds / 1_000)",\#
                "room":{"sid":"RM_1","name":"office"},\#
                "participant":{"sid":"PA_\#(name)","identity":"\#(name)"\#(more)}}
                """#.utf8)
            let token = TokenSigner(key: "key", secret: Secret("secret")).webhookToken(for: body.span, at: now)
            let client = try RawHTTP(port: service.publicAddress.port)
            try #require(client.ask("POST", "/webhook", headers: [("Authorization", token)], body: body)?.status == 200)
        }
        var usage: UsageStatus?
        let isCounted = try eventually {
            usage = try StatusDocument(json: try ask(service, "/debug/status").body).usage
            return usage?.connections.reduce(0) { $0 + $1.active } == people.count
        }
        #expect(isCounted, "\(String(describing: usage))")
        let kinds = usage?.connections.map { "\($0.kind) \($0.active)" }
        #expect(kinds == ["standard 2", "agent 1", "sip 1"])
        #expect(usage?.agentsRunning == 1 && usage?.agentsPending == 0 && usage?.calls == 1)
        #expect(usage?.isTableWithheld == false)
        #expect((usage?.since ?? .absent) > .absent)
    }

    @Test func `every metric that the status shows is declared`() throws {
        let folder = TemporaryFolder()
        let service = try start(folder)
        defer { _ = service.stop() }
        // Only a replica has these.
        AppendThread.declareMetrics(in: service.registry)
        let declared = Set(service.registry.descriptors.map(\.name))
        for metric in StatusMetric.allCases { #expect(declared.contains(metric.rawValue), "\(metric.rawValue)") }
    }
}
