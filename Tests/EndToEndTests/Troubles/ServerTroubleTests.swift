import Glibc
import TestSupport
import Testing

/// Troubles of lkpush itself and of what sends to it, side by side: each has a program of its own, and all push to one
/// Prometheus.
@Suite struct ServerTroubleTests {
    /// A program, and what happens to it.
    private struct Case {
        let exporter: TroubledExporter
        let alert: String
        /// The alerts that fire beside it if it lasts.
        var later: Set<String> = []
        /// Labels and words of the description.
        var says: [String] = []
        let begin: () throws -> Void
        /// Happens again and again until the alert fires.
        var meanwhile: () throws -> Void = {}
        /// Checks that the first step shows the cause.
        let look: () throws -> Void
        let end: () throws -> Void
    }

    private static let room = "0f0e0d0c-0b0a-4908-8706-050403020100"

    private static func expectLogged(_ exporter: TroubledExporter, _ message: String, _ words: String...) {
        let isLogged = eventually {
            exporter.logged(message).contains { line in words.allSatisfy { line.contains($0) } }
        }
        #expect(isLogged, "\(exporter.job): \(exporter.logged(message))")
    }

    /// LiveKit sends other webhooks, which get this answer.
    private static func flow(
        _ watch: Watch, _ job: String, _ alert: String, answer: Int, later: Set<String> = [], says: [String],
        _ environment: [String: String] = [:], room: String = "office", folder: TemporaryFolder = TemporaryFolder(),
        logged: [String], _ change: @escaping (inout WebhookFlow.Kind) -> Void
    ) throws -> Case {
        let exporter = try TroubledExporter(
            job, to: watch.prometheus.writeURL, environment, room: room, folder: folder)
        let usual = exporter.livekit.kind
        return Case(
            exporter: exporter, alert: alert, later: later, says: says,
            begin: {
                exporter.livekit.change(change)
                #expect(exporter.livekit.wait(for: 3, answer), "\(job): \(exporter.livekit.answers)")
            },
            look: { if let message = logged.first { expectLogged(exporter, message, logged.last ?? "") } },
            end: { exporter.livekit.change { $0 = usual } })
    }

    private static func webhooks(_ watch: Watch) throws -> [Case] {
        let folder = TemporaryFolder()
        let application = try ApplicationDatabase(.postgres, in: folder)
        try application.fill([room: "org_1"], in: folder)
        let strict = try ApplicationDatabase(.sqlite, in: folder, name: "strict")
        try strict.execute([
            """
            CREATE TABLE room_presence (participant_sid text PRIMARY KEY, room_sid text, room_id text,
                organization_id bigint, user_id bigint, identity text CHECK (identity NOT LIKE 'x%'), joined_at text)
            """
        ])
        return [
            try flow(
                watch, "secret", "LkpushWebhooksRefused", answer: 401, later: ["NoWebhookEvents"],
                says: ["bad_signature", "LIVEKIT_API_SECRET"],
                logged: ["it is signed with another secret than that of its key", "LIVEKIT_API_SECRET"]
            ) { $0.secret = "another-secret-for-tests-0123456789abcdef" },
            try flow(
                watch, "path", "LkpushWebhookPathWrong", answer: 404, later: ["NoWebhookEvents"], says: ["wrong_path"],
                logged: ["a signed webhook came to a wrong path", "/livekit"]
            ) { $0.path = "/livekit" },
            try flow(
                watch, "organization", "OrgLookupFailures", answer: 200, says: ["room_not_found"],
                ["DATABASE_URL": application.url, "ORG_SOURCE": "database"], room: room,
                logged: ["a room has no organization", "a lost room"]
            ) { $0.room = "a lost room" },
            try flow(
                watch, "letters", "LkpushDeadLetters", answer: 200, says: ["set aside"],
                ["DATABASE_URL": strict.url, "ORG_SOURCE": "fixed"],
                folder: folder,
                logged: ["the database refused rows: they are set aside", "room_presence"]
            ) {
                $0.identity = "xX"; $0.isOfManyPeople = true
            },
            try flow(
                watch, "duplicates", "HighDuplicateRate", answer: 200, says: ["twice", "duplicates"], logged: []
            ) { $0.isRepeated = true },
        ]
    }

    private static func database(_ watch: Watch) throws -> Case {
        let server = try PostgresServer()
        let application = try ApplicationDatabase(server)
        try application.fill([room: "org_1"], in: TemporaryFolder())
        let exporter = try TroubledExporter(
            "database", to: watch.prometheus.writeURL,
            [
                "DATABASE_URL": application.url, "ORG_SOURCE": "database", "ACTIVITY_REFRESH": "1s",
                "PRESENCE_REFRESH": "1s",
            ], room: room)
        return Case(
            exporter: exporter, alert: "LkpushDatabaseAway", says: ["lkpush check"], begin: { try server.stop() },
            look: {
                let checked = exporter.check()
                #expect(checked.contains("error    database  "), "\(checked)")
            }, end: { try server.start() })
    }

    private static func restarts(_ watch: Watch) throws -> Case {
        let exporter = try TroubledExporter("restarts", to: watch.prometheus.writeURL)
        var starts = 0.0
        return Case(
            exporter: exporter, alert: "LkpushRestartLoop", later: ["LkpushNotPushing"],
            says: ["times in the last hour"],
            begin: {},
            meanwhile: {
                try exporter.program.kill()
                try exporter.program.startAndWait()
                starts += 1
                // A start counts when a sample of it has arrived.
                _ = try watch.prometheus.wait(for: #"changes(process_start_time_seconds{job="restarts"}[1h])"#) {
                    $0.first.map { $0.value >= starts } ?? false
                }
            },
            look: { #expect(exporter.logged(#""msg":"lkpush starts""#).count > 4) }, end: {})
    }

    @Test func `each trouble of the server raises its alert, and no other that misleads`() throws {
        let watch = try Watch()
        let cases = try Self.webhooks(watch) + [try Self.database(watch), try Self.restarts(watch)]
        try watch.expectHealth(of: cases.map(\.exporter.job))
        for one in cases { try one.begin() }
        for one in cases {
            let alerts = try watch.expectFiring(
                [one.alert], one.exporter.job, later: one.later, meanwhile: one.meanwhile)
            for alert in alerts {
                #expect(alert.labels["instance"] == "\(one.exporter.job)-1" || alert.name == "HighDuplicateRate")
                let text = alert.labels.values.joined(separator: " ") + alert.annotations.values.joined(separator: " ")
                for words in one.says { #expect(text.contains(words), "\(words) is not in \(text)") }
                try Runbook.expectFirstStep(of: alert)
            }
            try one.look()
        }
        for one in cases { try one.end() }
        for one in cases { try watch.expectFiring([], one.exporter.job) }
        for one in cases { try one.exporter.program.terminate() }
    }

    @Test(.enabled(if: SmallFileSystem.isAllowed, "mounting a small file system needs root and CAP_SYS_ADMIN"))
    func `a disk that fills up raises an alert before it is full, and another one then`() throws {
        // While the journal cannot be written, a reading waits for it for a second. So readings are further apart here.
        let watch = try Watch(divisor: 30)
        let folder = TemporaryFolder()
        let disk = try SmallFileSystem(in: folder, name: "state", size_bytes: 1 << 30)
        let exporter = try TroubledExporter(
            "disk", to: watch.prometheus.writeURL, ["PUSH_INTERVAL": "2s", "IDLE_PUSH_INTERVAL": "2s"], folder: folder)
        try watch.expectHealth(of: ["disk"])

        try disk.resize(64 << 20)
        for alert in try watch.expectFiring(["LkpushStateDiskNearlyFull"], "disk") {
            try Runbook.expectFirstStep(of: alert)
        }
        #expect(exporter.livekit.answers.keys.allSatisfy { $0 == 200 }, "\(exporter.livekit.answers)")
        try disk.resize(SmallFileSystem.size_bytes)
        try disk.fill()
        #expect(exporter.livekit.wait(for: 3, 503))
        let alerts = try watch.expectFiring(
            ["LkpushStateDiskNearlyFull", "LkpushJournalNotWritable"], "disk", later: ["NoWebhookEvents"])
        for alert in alerts { try Runbook.expectFirstStep(of: alert) }
        let isSaid = eventually {
            exporter.program.readiness.contains("the journal cannot be written: ")
                && exporter.program.readiness.contains("disk is full")
        }
        #expect(isSaid, "\(exporter.program.readiness)")

        disk.free()
        try disk.resize(1 << 30)
        try watch.expectFiring([], "disk")
        try exporter.program.terminate()
    }
}
