import Pipeline
import Exporter
import HTTPServing
import LiveKit
import Metrics
import Platform
import TestSupport
import Testing
import Wire

/// Organizations that change in PostgreSQL, in the whole exporter with a clock that can be set.
@Suite struct OrganizationDatabaseTests {
    private let folder = TemporaryFolder()
    private let time = ShiftedTime(isStanding: true)
    private let server: PostgresServer
    private let name: String
    private let service: Service

    private static let rooms = (1...3).map { "00000000-0000-4000-8000-00000000000\($0)" }

    init() throws {
        server = try PostgresServer.shared()
        name = try server.newDatabase()
        try server.execute(
            [
                "CREATE TABLE organizations (id uuid PRIMARY KEY, workos_org_id text UNIQUE, name text NOT NULL)",
                "CREATE TABLE rooms (id uuid PRIMARY KEY, organization_id uuid REFERENCES organizations (id))",
                "CREATE TABLE org_licenses (organization_id uuid, monthly_recording_minutes integer)",
                "INSERT INTO organizations VALUES (\(Self.key(1)), 'org_a', 'A'), (\(Self.key(2)), 'org_b', 'B')",
                "INSERT INTO org_licenses VALUES (\(Self.key(1)), 100)",
                "INSERT INTO rooms VALUES ('\(Self.rooms[0])', \(Self.key(1)))",
            ], in: name)
        var reader = SettingsReader([
            "LISTEN": "127.0.0.1:0", "METRICS_LISTEN": "127.0.0.1:0", "STATE_DIR": folder.file("state"),
            "SHUTDOWN_TIMEOUT": Waits.setting, "DATABASE_URL": server.url(database: name), "LICENSE_REFRESH": "1s",
            "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret", "ORG_CACHE_TTL": "10s",
        ])
        let settings = Settings(&reader)
        try #require(reader.problems.isEmpty)
        service = try Service(settings, log: Log(level: .error, format: .text), time: time)
        try service.start()
    }

    private static func key(_ number: Int) -> String { "'10000000-0000-4000-8000-00000000000\(number)'" }

    private func post(_ event: String, room: String, participant: String? = nil) throws {
        let now = time.now()
        let person = participant.map { #","participant":{"sid":"PA_\#($0)","identity":"\#($0)"}"# } ?? ""
        let body = Array(
            #"""
            {"event":"\#(event)","id":"EV_\#(UInt64.random(in: 0 ... .max))","createdAt":"\#(now.milliseconds / 1_000)",\#
            "room":{"sid":"RM_\#(room)","name":"\#(room)"}\#(person)}
            """#.utf8)
        let token = TokenSigner(key: "key", secret: Secret("secret")).webhookToken(for: body.span, at: now)
        let client = try RawHTTP(port: service.publicAddress.port)
        #expect(client.ask("POST", "/webhook", headers: [("Authorization", token)], body: body)?.status == 200)
    }

    /// The value of the series that has these label values among its own.
    private func value(_ family: String, _ labels: String...) -> Double? {
        let series = service.registry.snapshot().first { $0.family.name == family }?.series
        switch series?.first(where: { one in labels.allSatisfy { one.labelValues.contains($0) } })?.instrument {
        case .counter(let counter): return counter.value
        case .gauge(let gauge): return gauge.value
        case .histogram, nil: return nil
        }
    }

    private func present(_ organization: Int) throws -> String {
        try server.query(
            "SELECT COUNT(*) FROM room_presence WHERE organization_id = \(Self.key(organization))", in: name)
    }

    private func stop() { #expect(service.stop()) }

    @Test func `a room that moves to another organization is moved, with all in it, without an event`() throws {
        try post("room_started", room: Self.rooms[0])
        try post("participant_joined", room: Self.rooms[0], participant: "ann")
        #expect(eventually { value("lk_participants_active", "org_a") == 1 })
        #expect(try eventually { try present(1) == "1" })

        try server.query("UPDATE rooms SET organization_id = \(Self.key(2))", in: name)
        time.elapse(.seconds(11))
        #expect(eventually { value("lk_participants_active", "org_b") == 1 }, "without an event")
        #expect(value("lk_participants_active", "org_a") == 0)
        #expect(value("lk_room_active", "org_a") == 0 && value("lk_room_active", "org_b") == 1)
        #expect(value("lk_rooms_started_total", "org_a") == 1, "what was counted stays")
        #expect(try eventually { try present(1) == "0" && present(2) == "1" })
        #expect(value("lk_org_info", "org_b", "B") == 1)
        stop()
    }

    @Test func `a room that appears after a failure is tried when that is old enough, and moves`() throws {
        let room = Self.rooms[1]
        try post("room_started", room: room)
        try post("participant_joined", room: room, participant: "bob")
        #expect(eventually { value("lk_participants_active", "unknown") == 1 })
        #expect(value("lk_org_lookup_failures_total", "room_not_found") == 2)
        try server.query("INSERT INTO rooms VALUES ('\(room)', \(Self.key(1)))", in: name)
        let asked = value("lkpush_lookups_total")
        try post("participant_joined", room: room, participant: "carol")
        #expect(eventually { value("lk_participants_active", "unknown") == 2 })
        #expect(value("lkpush_lookups_total") == asked, "a failure is believed for 30 s")
        #expect(try present(1) == "0")

        time.elapse(.seconds(31))
        try post("participant_joined", room: room, participant: "dave")
        #expect(eventually { value("lk_participants_active", "org_a") == 3 })
        #expect(value("lk_participants_active", "unknown") == 0)
        #expect(value("lk_room_active", "org_a") == 1 && value("lk_room_active", "unknown") == 0)
        #expect(try eventually { try present(1) == "3" }, "rows that could not be written are now")
        // The session of a person who came before the organization was known is written under it.
        try post("participant_left", room: room, participant: "bob")
        let sessions = "SELECT COUNT(*) FROM participant_activity_metrics WHERE organization_id = \(Self.key(1))"
        #expect(try eventually { try server.query(sessions, in: name) == "1" })
        stop()
    }

    @Test func `names that are no ids, and rooms without an organization, fail for their reasons`() throws {
        try server.query("INSERT INTO rooms VALUES ('\(Self.rooms[2])', NULL)", in: name)
        try post("room_started", room: "no uuid at all")
        try post("room_started", room: Self.rooms[2])
        #expect(eventually { value("lk_room_active", "unknown") == 2 })
        #expect(value("lk_org_lookup_failures_total", "room_not_found") == 1)
        #expect(value("lk_org_lookup_failures_total", "no_organization") == 1)
        #expect((value("lkpush_database_errors_total", "lookup") ?? 0) == 0, "nothing is wrong with the database")
        stop()
    }

    @Test func `a new name ends the old info, a new licence is the new limit`() throws {
        try post("room_started", room: Self.rooms[0])
        #expect(eventually { value("lk_org_recording_limit_minutes", "org_a") == 100 })
        #expect(value("lk_org_info", "org_a", "A") == 1)

        try server.query(
            "UPDATE organizations SET name = 'A and \"Sons\"' WHERE id = \(Self.key(1))", in: name)
        try server.query("UPDATE org_licenses SET monthly_recording_minutes = 250", in: name)
        #expect(eventually { value("lk_org_info", "org_a", "A and \"Sons\"") == 1 })
        #expect(value("lk_org_info", "org_a", "A") == nil, "one name at a time")
        #expect(eventually { value("lk_org_recording_limit_minutes", "org_a") == 250 })

        try server.query("DELETE FROM org_licenses", in: name)
        #expect(eventually { value("lk_org_recording_limit_minutes", "org_a") == 0 })
        stop()
    }
}
