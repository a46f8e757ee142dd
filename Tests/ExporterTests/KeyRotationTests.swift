import Exporter
import Glibc
import HTTPServing
import LiveKit
import Platform
import TestSupport
import Testing
import Wire

/// Files of keys that change while they are in use. Nobody signals that to the program.
@Suite struct KeyRotationTests {
    private let folder = TemporaryFolder()

    /// The thread that watches the files of the settings, and the last secrets that it passed on.
    private final class KeyFixture {
        private let good = Monitor<[String: [String]]>([:])
        private let file: Int32
        private let watch: KeyThread
        private let logPath: String
        private let lines: Log

        init(_ variables: [String: String], _ folder: TemporaryFolder) throws {
            var reader = SettingsReader(variables)
            let keys = Settings(&reader).liveKitKeys
            try #require(reader.problems == [])
            logPath = folder.file("log")
            file = open(logPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
            let pairs = try keys.read()
            let first = KeyRing(pairs).secrets.mapValues { $0.map(\.exposed) }
            good.change { $0 = first }
            lines = Log(level: .info, format: .json, file: file)
            watch = KeyThread(
                keys, from: pairs, every: .milliseconds(2), log: lines
            ) { [good] ring in
                let secrets = ring.secrets.mapValues { $0.map(\.exposed) }
                good.change { $0 = secrets }
            }
        }

        deinit {
            #expect(watch.stop(by: Waits.end))
            lines.end()
            close(file)
        }

        var secrets: [String: [String]] { good.withLock { $0 } }

        func becomes(_ expected: [String: [String]]) -> Bool { eventually { secrets == expected } }

        func says(_ message: String) -> Bool { eventually { log.contains(message) } }

        var log: String {
            ((try? FileStore.read(logPath)).map { String(decoding: $0, as: UTF8.self) }) ?? ""
        }

        func lookNow() -> Bool { watch.lookNow() }
    }

    private func write(_ name: String, _ text: String) throws {
        try FileStore.replace(folder.file(name), with: Array(text.utf8))
    }

    /// Overwrites a file in place, as an editor or a shell does.
    private func overwrite(_ name: String, _ text: String) throws {
        let file = open(folder.file(name), O_WRONLY | O_TRUNC)
        defer { close(file) }
        try FileStore.writeAll(Array(text.utf8), to: file, named: name)
    }

    private func setTime(_ name: String) {
        var times = [timespec(tv_sec: 1_700_000_000, tv_nsec: 0), timespec(tv_sec: 1_700_000_000, tv_nsec: 0)]
        #expect(utimensat(AT_FDCWD, folder.file(name), &times, 0) == 0)
    }

    @Test func `a secret that Kubernetes replaces is in use, and the old one for a while`() throws {
        // This is what kubelet does: the file is a link to ..data/secret, and ..data is a link that is replaced.
        for (name, secret) in [("..1", "first-secret"), ("..2", "other-secret")] {
            try FileStore.makeDirectory(folder.file(name))
            try write("\(name)/secret", secret)
        }
        #expect(symlink("..1", folder.file("..data")) == 0 && symlink("..data/secret", folder.file("secret")) == 0)
        // Both files have the same size and time.
        for name in ["..1/secret", "..2/secret"] { setTime(name) }
        let fixture = try KeyFixture(
            ["LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET_FILE": folder.file("secret")], folder)
        #expect(symlink("..2", folder.file("..data_tmp")) == 0)
        #expect(rename(folder.file("..data_tmp"), folder.file("..data")) == 0)
        #expect(fixture.becomes(["key": ["other-secret", "first-secret"]]))
        #expect(fixture.says("LiveKit's keys have changed"))
        #expect(!fixture.log.contains("-secret"))
    }

    @Test func `a file that is overwritten in place, with the same size and time, is read again`() throws {
        try write("secret", "first-secret")
        setTime("secret")
        let fixture = try KeyFixture(
            ["LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET_FILE": folder.file("secret")], folder)
        try overwrite("secret", "other-secret")
        setTime("secret")
        #expect(fixture.becomes(["key": ["other-secret", "first-secret"]]))
    }

    @Test func `a key that is taken out of the file is good no more, one that is put in is good`() throws {
        try write("keys", "one: secret-1\ntwo: secret-2\n")
        let fixture = try KeyFixture(["LIVEKIT_KEYS_FILE": folder.file("keys")], folder)
        try write("keys", "two: secret-2\nthree: secret-3\n")
        #expect(fixture.becomes(["two": ["secret-2"], "three": ["secret-3"]]))
    }

    @Test func `a file that is missing, empty or broken changes nothing and is told`() throws {
        try write("keys", "one: secret-1\n")
        let fixture = try KeyFixture(["LIVEKIT_KEYS_FILE": folder.file("keys")], folder)
        unlink(folder.file("keys"))
        #expect(fixture.says("keys cannot be read: the old ones stay in use; put the file right"))
        #expect(fixture.secrets == ["one": ["secret-1"]])
        for broken in ["", "one: 'hunter2", "one"] {
            try write("keys", broken)
            #expect(fixture.lookNow())
            #expect(fixture.secrets == ["one": ["secret-1"]])
        }
        try write("keys", "one: secret-2\n")
        #expect(fixture.becomes(["one": ["secret-2", "secret-1"]]))
        #expect(fixture.says("keys can be read again") && !fixture.log.contains("hunter2"))
    }

    @Test func `who asks for a look need not wait for the next one`() throws {
        try write("keys", "one: secret-1\n")
        let fixture = try KeyFixture(["LIVEKIT_KEYS_FILE": folder.file("keys")], folder)
        try write("keys", "one: secret-2\n")
        #expect(fixture.lookNow())
        #expect(fixture.secrets == ["one": ["secret-2", "secret-1"]])
    }

    // MARK: The whole service

    private func start(_ changes: [String: String]) throws -> Service {
        var reader = SettingsReader(
            [
                "LISTEN": "127.0.0.1:0", "METRICS_LISTEN": "127.0.0.1:0", "STATE_DIR": folder.file("state"),
                "SHUTDOWN_TIMEOUT": "5s",
            ].merging(changes) { $1 })
        let settings = Settings(&reader)
        try #require(reader.problems == [])
        let service = try Service(settings, log: Log(level: .error, format: .text))
        try service.start()
        return service
    }

    private func join(_ room: String, at time_ms: Int64, _ secret: String, to service: Service) throws -> Int? {
        let now = SystemTime().now()
        let body = Array(
            """
            {"event":"participant_joined","room":{"sid":"RM_\(room)","name":"\(room)"},"participant":\
            {"sid":"PA_\(room)","identity":"ann","joinedAtMs":"\(time_ms)"},"id":"\(room) \(secret)",\
            "createdAt":"\(now.milliseconds / 1_000)"}
            """.utf8)
        let token = TokenSigner(key: "key", secret: Secret(secret)).webhookToken(for: body.span, at: now)
        let client = try RawHTTP(port: service.publicAddress.port)
        return client.ask("POST", "/webhook", headers: [("Authorization", token)], body: body)?.status
    }

    @Test func `webhooks with the new secret and with the old are taken, and LiveKit is asked with the new`() throws {
        try write("secret", "first-secret\n")
        let liveKit = try ScriptedReceiver(otherwise: .done)
        let service = try start([
            "LIVEKIT_API_KEY": "key", "LIVEKIT_API_SECRET_FILE": folder.file("secret"), "SINGLE_SESSION": "true",
            "LIVEKIT_URL": "ws://127.0.0.1:\(liveKit.port)",
        ])
        defer { _ = service.stop() }
        #expect(try join("red", at: 1_000, "first-secret", to: service) == 200)
        #expect(try join("blue", at: 2_000, "other-secret", to: service) == 401)
        try write("secret", "other-secret\n")
        #expect(try eventually { try join("blue", at: 2_000, "other-secret", to: service) == 200 })
        #expect(liveKit.waitForAnswers(1))
        #expect(try join("green", at: 3_000, "first-secret", to: service) == 200)
        #expect(try join("grey", at: 3_000, "third-secret", to: service) == 401)
        #expect(liveKit.waitForAnswers(2))
        let calls = liveKit.requests.map { RoomServiceCall($0, key: "key", secret: "other-secret") }
        #expect(calls.flatMap(\.faults) == [])
    }
}
