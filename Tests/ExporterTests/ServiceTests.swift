import Exporter
import Glibc
import HTTPServing
import LiveKit
import Metrics
import Platform
import Storage
import StorageSQLite
import TestSupport
import Testing
import Wire

/// The composed exporter in this process: behavior that no part shows alone.
@Suite struct ServiceTests {
    private let folder = TemporaryFolder()

    private func start(_ changes: [String: String]) throws -> Service {
        var reader = SettingsReader(
            [
                "LISTEN": "127.0.0.1:0", "METRICS_LISTEN": "127.0.0.1:0", "STATE_DIR": folder.file("state"),
                "SHUTDOWN_TIMEOUT": Waits.setting,
            ].merging(changes) { $1 })
        let settings = Settings(&reader)
        #expect(reader.problems.isEmpty)
        let service = try Service(settings, log: Log(level: .error, format: .text))
        try service.start()
        return service
    }

    /// Posts a `room_started`, signed now.
    private func post(_ id: String, room: String, key: String, _ secret: String, to service: Service) throws -> Int? {
        let text =
            #"{"event":"room_started","room":{"sid":"RM_\#(id)","name":"\#(room)"},"id":"\#(id)","createdAt":"1"}"#
        return try post(text, key: key, secret, to: service)
    }

    /// Posts a `participant_joined`, signed now, with this join time.
    private func join(_ room: String, at time_ms: Int64, key: String, _ secret: String, to service: Service) throws {
        let text = """
            {"event":"participant_joined","room":{"sid":"RM_\(room)","name":"\(room)"},"participant":{"sid":"PA_\(room)",\
            "identity":"ann","joinedAtMs":"\(time_ms)"},"createdAt":"\(SystemTime().now().milliseconds / 1_000)"}
            """
        #expect(try post(text, key: key, secret, to: service) == 200)
    }

    private func post(_ text: String, key: String, _ secret: String, to service: Service) throws -> Int? {
        let body = Array(text.utf8)
        let token = TokenSigner(key: key, secret: Secret(secret)).webhookToken(for: body.span, at: SystemTime().now())
        let client = try RawHTTP(port: service.publicAddress.port)
        return client.ask("POST", "/webhook", headers: [("Authorization", token)], body: body)?.status
    }

    private func page(_ service: Service) throws -> String {
        try RawHTTP(port: service.metricsAddress.port).ask("GET", "/metrics")?.text ?? ""
    }

    @Test func `keys are replaced when it is told to read them again`() throws {
        let keys = folder.file("keys")
        try FileStore.replace(keys, with: Array("old: first-secret\n".utf8))
        let service = try start(["LIVEKIT_KEYS_FILE": keys])
        defer { _ = service.stop() }
        #expect(try post("1", room: "a", key: "old", "first-secret", to: service) == 200)
        #expect(try post("2", room: "a", key: "new", "second-secret", to: service) == 401)

        try FileStore.replace(keys, with: Array("new: second-secret\n".utf8))
        service.reload()
        #expect(try post("3", room: "a", key: "old", "first-secret", to: service) == 401)
        #expect(try post("4", room: "a", key: "new", "second-secret", to: service) == 200)

        // A file that cannot be read changes nothing.
        try FileStore.replace(keys, with: Array("nonsense".utf8))
        service.reload()
        #expect(try post("5", room: "a", key: "new", "second-secret", to: service) == 200)
    }

    @Test func `who is removed is removed with the first key, read again when it is told to`() throws {
        let keys = folder.file("keys")
        try FileStore.replace(keys, with: Array("old: first-secret\nother: third-secret\n".utf8))
        let liveKit = try ScriptedReceiver(otherwise: .done)
        let service = try start([
            "LIVEKIT_KEYS_FILE": keys, "SINGLE_SESSION": "true", "LIVEKIT_URL": "ws://127.0.0.1:\(liveKit.port)",
        ])
        defer { _ = service.stop() }
        try join("red", at: 1_000, key: "other", "third-secret", to: service)
        try join("blue", at: 2_000, key: "other", "third-secret", to: service)
        #expect(liveKit.waitForAnswers(1))

        try FileStore.replace(keys, with: Array("new: second-secret\nold: first-secret\n".utf8))
        service.reload()
        try join("green", at: 3_000, key: "new", "second-secret", to: service)
        #expect(liveKit.waitForAnswers(2))
        let requests = liveKit.requests
        try #require(requests.count == 2)
        let calls = [
            RoomServiceCall(requests[0], key: "old", secret: "first-secret"),
            RoomServiceCall(requests[1], key: "new", secret: "second-secret"),
        ]
        #expect(calls.flatMap(\.faults) == [])
        #expect(calls.map(\.room) == ["red", "blue"])
    }

    @Test func `an event that waits for a dead database waits on, after a restart too`() throws {
        // A folder is where the database's file should be, so no connection is ever made.
        let path = folder.file("office.db")
        try FileStore.makeDirectory(path)
        let settings = [
            "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret", "DATABASE_URL": "sqlite:\(path)",
            // A stop ends the wait after 2 s, long before the event counts without an organization.
            "SHUTDOWN_TIMEOUT": "5s",
        ]
        let first = try start(settings)
        #expect(try post("1", room: "a", key: "key", "secret", to: first) == 200)
        #expect(first.stop())
        #expect(started(first) == [:])

        rmdir(path)
        let database = try SQLiteDatabase(path: path)
        _ = try ApplicationStore(database).migrate(at: SystemTime().now())
        _ = try database.run("INSERT INTO organizations (id, workos_org_id) VALUES (1, 'org_1')", [])
        _ = try database.run("INSERT INTO rooms (id, organization_id) VALUES ('a', 1)", [])
        database.close()
        let second = try start(settings)
        defer { _ = second.stop() }
        #expect(eventually { started(second) == ["org_1": 1] })
    }

    /// The rooms that started, by organization.
    private func started(_ service: Service) -> [String: Double] {
        var counts: [String: Double] = [:]
        for (family, series) in service.registry.snapshot() where family.name == "lk_rooms_started_total" {
            for one in series {
                if case .counter(let counter) = one.instrument { counts[one.labelValues[2]] = counter.value }
            }
        }
        return counts
    }

    @Test func `a listener that is not to be had is a failure that says so, and leaves nothing running`() throws {
        let service = try start(["LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret"])
        defer { _ = service.stop() }
        #expect {
            _ = try start([
                "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET": "secret", "LISTEN": "\(service.publicAddress)",
            ])
        } throws: { "\($0)".contains("\(service.publicAddress)") }
    }

    @Test func `the instance is the host name of the first start, kept beside the state`() throws {
        let log = Log(level: .error, format: .text)
        try FileStore.makeDirectory(folder.file("kept"))
        let first = InstanceName.resolve(configured: "", stateDirectory: folder.file("kept"), log: log)
        #expect(!first.isEmpty)
        try FileStore.replace(folder.file("kept/instance"), with: Array("pod-of-yesterday\n".utf8))
        let second = InstanceName.resolve(configured: "", stateDirectory: folder.file("kept"), log: log)
        #expect(second == "pod-of-yesterday")
        #expect(InstanceName.resolve(configured: "mine", stateDirectory: folder.file("kept"), log: log) == "mine")
    }
}
