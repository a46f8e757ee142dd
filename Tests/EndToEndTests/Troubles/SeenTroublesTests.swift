import Platform
import TestSupport
import Testing

/// The ten troubles, as somebody sees them who does not know the program: on the status page, in `lkpush top` and in the
/// log. Each of them names the cause and what to do.
///
/// The programs have the intervals of a real one. Each trouble must be told within 30 s: `Tests/Prompt/run` checks the
/// times that the programs themselves say, and prints them.
@Suite(.enabled(if: Chromium.isWanted, "LKPUSH_TEST_PYTHON names a Python with Tests/requirements.txt"))
struct SeenTroublesTests {
    private static let room = "0f0e0d0c-0b0a-4908-8706-050403020100"

    private static func start(
        _ name: String, _ receiver: String, _ environment: [String: String] = [:], start: [String: String] = [:],
        room: String = "office", folder: TemporaryFolder = TemporaryFolder()
    ) throws -> TroubledExporter {
        try TroubledExporter(name, to: receiver, environment, intervals: [:], start: start, room: room, folder: folder)
    }

    /// A receiver that does something else than to take samples.
    private static func receiver(
        _ name: String, _ condition: TroubleProxy.Condition, of server: PrometheusServer, problem: String,
        told: [String], logged: [String]
    ) throws -> SeenTrouble {
        let proxy = try TroubleProxy(to: server.port)
        return SeenTrouble(
            name, problem: problem, told: told, logged: logged,
            start: {
                try start(name, proxy.url, ["GRAFANA_PROM_USERNAME": "7", "GRAFANA_API_KEY": "glc_token"])
            },
            begin: { _ in proxy.change(to: condition) }, end: { _ in proxy.change(to: .passing) })
    }

    private static func receivers(_ server: PrometheusServer) throws -> [SeenTrouble] {
        [
            try receiver(
                "unauthorized", .answering(401, "authentication error: invalid token"), of: server,
                problem: "receiver_credentials_refused",
                told: ["refuses the credentials", "401", "metrics:write", "set GRAFANA_API_KEY"],
                logged: ["the receiver refused the credentials", "\"action\":", "GRAFANA_API_KEY"]),
            try receiver(
                "not-found", .answering(404, "404 page not found"), of: server, problem: "receiver_refuses",
                told: ["a wrong address", "404", "/api/v1/write", "GRAFANA_PROM_REMOTE_WRITE_URL"],
                logged: ["samples are lost", "\"action\":", "/api/v1/push", "GRAFANA_PROM_REMOTE_WRITE_URL"]),
            try receiver(
                "throttled", .answering(429, "ingestion rate limit of 10000 exceeded"), of: server,
                problem: "receiver_throttles", told: ["429", "a limit of the receiver", "raise the tenant's limits"],
                logged: ["samples could not be sent", "ingestion rate limit of 10000 exceeded", "\"action\":"]),
            try receiver(
                "broken", .answering(500, "no ring"), of: server, problem: "receiver_fails",
                told: ["the receiver fails", "500", "look at the receiver"],
                logged: ["samples could not be sent", "no ring", "\"action\":"]),
            try receiver(
                "hanging", .hanging, of: server, problem: "receiver_does_not_answer",
                told: ["does not answer", "look at the receiver", "REMOTE_WRITE_TIMEOUT"],
                logged: ["the receiver has not answered for 5 s", "\"action\":"]),
        ]
    }

    private static func database(_ server: PrometheusServer) throws -> SeenTrouble {
        let database = try PostgresServer()
        let application = try ApplicationDatabase(database)
        try application.fill([room: "org_1"], in: TemporaryFolder())
        return SeenTrouble(
            "database", problem: "database_away",
            told: ["the database does not work", "see whether the database runs", "DATABASE_URL", "lkpush check"],
            logged: ["the database does not work", "\"action\":", "DATABASE_URL"],
            start: {
                try start(
                    "database", server.writeURL, ["DATABASE_URL": application.url, "ORG_SOURCE": "database"], room: room
                )
            },
            begin: { exporter in
                exporter.livekit.change { $0.isOfManyPeople = true }
                try database.stop()
            }, end: { _ in try database.start() })
    }

    private static func disk(_ server: PrometheusServer) throws -> SeenTrouble {
        let folder = TemporaryFolder()
        let disk = try SmallFileSystem(in: folder, name: "state", size_bytes: 1 << 30)
        return SeenTrouble(
            "disk", problem: "journal_not_writable",
            told: ["the journal cannot be written", "full", "503", "make room", "STATE_DIR"],
            logged: ["the journal cannot be written", "full", "\"action\":", "STATE_DIR"],
            start: { try start("disk", server.writeURL, folder: folder) },
            begin: { _ in
                try disk.resize(SmallFileSystem.size_bytes)
                try disk.fill()
            },
            end: { _ in
                disk.free()
                try disk.resize(1 << 30)
            })
    }

    private static func webhooks(_ server: PrometheusServer) throws -> [SeenTrouble] {
        let application = try ApplicationDatabase(.postgres, in: TemporaryFolder())
        try application.fill([room: "org_1"], in: TemporaryFolder())
        return [
            SeenTrouble(
                "secret", problem: "webhooks_refused",
                told: ["bad_signature", "signed with another secret", "LIVEKIT_API_SECRET", "LIVEKIT_KEYS_FILE"],
                logged: ["signed with another secret", "\"action\":", "LIVEKIT_API_SECRET"],
                start: { try start("secret", server.writeURL) },
                begin: { exporter in
                    exporter.livekit.change { $0.secret = "another-secret-for-tests-0123456789abcdef" }
                }, end: nil),
            SeenTrouble(
                "organization", problem: "rooms_without_organization",
                told: ["no organization", "a lost room", "table rooms", "ORG_LOOKUP_SQL"],
                logged: ["a room has no organization", "a lost room", "\"action\":", "table rooms"],
                start: {
                    try start(
                        "organization", server.writeURL,
                        ["DATABASE_URL": application.url, "ORG_SOURCE": "database"], room: room)
                }, begin: { exporter in exporter.livekit.change { $0.room = "a lost room" } }, end: nil),
        ]
    }

    private static func clock(_ receiver: PrometheusServer) -> SeenTrouble {
        SeenTrouble(
            "clock", problem: "clock_skew", told: ["the clock of this machine", "ahead of", "timedatectl", "chronyc"],
            logged: ["the clock of this machine and that of a peer differ", "\"action\":", "NTP"], ahead: .seconds(90),
            start: { try start("clock", receiver.writeURL, start: WrongClock.environment(ahead: 90)) },
            begin: { _ in },
            end: { exporter in
                try exporter.program.terminate()
                try exporter.program.startAndWait()
            })
    }

    @Test(.enabled(if: SmallFileSystem.isAllowed, "mounting a small file system needs root and CAP_SYS_ADMIN"))
    func `each trouble is told with its cause and what to do, until it is over`() throws {
        let (server, other) = (try PrometheusServer(), try PrometheusServer())
        let browser = try Chromium()
        let troubles =
            try Self.receivers(server) + Self.webhooks(server) + [
                Self.database(server), Self.disk(server), Self.clock(other),
            ]
        try #require(troubles.count == 10)
        for trouble in troubles { try trouble.begin(browser) }
        for trouble in troubles { try trouble.expectTold() }
        for trouble in troubles {
            try trouble.expectShown(browser)
            try trouble.expectPrinted()
            try trouble.expectLogged()
        }
        for trouble in troubles { try trouble.finish() }
        for trouble in troubles { try trouble.expectOver(browser) }
    }
}
