import Enforcement
import Glibc
import HTTPClient
import LiveKit
import Metrics
import Platform
import TestSupport
import Testing
import Wire

/// The enforcer thread, against a stand-in for LiveKit's server API.
@Suite struct EnforcerThreadTests {
    private static let key = "APIserver"
    private static let secret = "secret-for-tests-only-0123456789abcdef"

    /// An enforcer with short waits, with its metrics and everything that it logs.
    private final class EnforcerFixture {
        let registry = Registry(maxSeries: 100)
        let enforcer: EnforcerThread
        private let folder = TemporaryFolder()
        private let file: Int32
        private let log: Log
        private let time = SystemTime()

        init(_ url: String, timeout: Duration = Waits.limit) throws {
            var settings = try #require(EnforcerSettings(serverURL: url, userAgent: "lkpush/test"))
            settings.timeout = timeout
            settings.minBackoff = .milliseconds(10)
            settings.maxBackoff = .milliseconds(40)
            file = open(folder.file("log"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
            log = Log(level: .debug, format: .json, file: file)
            enforcer = try EnforcerThread(
                settings, signer: TokenSigner(key: key, secret: Secret(secret)), registry: registry, log: log)
        }

        deinit {
            // The log must stop writing before the descriptor is closed.
            log.end()
            close(file)
        }

        func remove(_ room: String = "red-room", _ identity: String = "ann", within limit: Duration = Waits.limit) {
            enforcer.remove(room: room, identity: identity, until: time.now() + limit)
        }

        /// Waits until this many removals have ended.
        func ends(_ count: Double) -> Bool { eventually { results.values.reduce(0, +) >= count } }

        var results: [String: Double] {
            registry.collect()
            var results: [String: Double] = [:]
            for family in registry.snapshot() where family.family.name == "lkpush_sessions_replaced_total" {
                for series in family.series {
                    if case .counter(let counter) = series.instrument { results[series.labelValues[0]] = counter.value }
                }
            }
            return results
        }

        /// The results that are not 0.
        var counted: [String: Double] { results.filter { $0.value > 0 } }

        /// Everything that was logged. It must name nobody.
        func logged() throws -> String {
            #expect(log.settle())
            let text = String(decoding: try FileStore.read(folder.file("log"), limit: 1 << 20), as: UTF8.self)
            for word in ["ann", "red-room", secret, "Bearer", "eyJ"] { #expect(!text.contains(word), "\(word)") }
            return text
        }

        /// Stops the enforcer. On a busy machine the thread may miss its deadline, so this tries again.
        func stop(within limit: Duration = Waits.limit) -> Bool {
            eventually { enforcer.stop(by: time.monotonic() + limit) }
        }
    }

    private func calls(_ receiver: ScriptedReceiver, prefix: String = "") -> [RoomServiceCall] {
        receiver.requests.map { RoomServiceCall($0, key: Self.key, secret: Self.secret, prefix: prefix) }
    }

    private func url(_ receiver: ScriptedReceiver) -> String { "http://127.0.0.1:\(receiver.port)" }

    @Test func `a removal is asked for as LiveKit wants it, whatever the names are`() throws {
        let receiver = try ScriptedReceiver(otherwise: .done)
        let fixture = try EnforcerFixture(url(receiver) + "/livekit")
        #expect(fixture.results == ["removed": 0, "already_gone": 0, "refused": 0, "failed": 0, "dropped": 0])
        let names = ["red-room", "a \"b\\ \n\u{1}/ü", "🙂"]
        for name in names { fixture.remove(name, "ann \(name)") }
        #expect(fixture.ends(3))
        #expect(fixture.counted == ["removed": 3])
        let calls = calls(receiver, prefix: "/livekit")
        #expect(calls.flatMap(\.faults) == [])
        #expect(Set(calls.map(\.room)) == Set(names))
        #expect(Set(calls.map(\.identity)) == Set(names.map { "ann \($0)" }))
        #expect(fixture.stop())
        _ = try fixture.logged()
    }

    @Test func `what LiveKit cannot do now is asked for again`() throws {
        let receiver = try ScriptedReceiver(
            script: [
                .twirp(500, "internal"), .reset, .twirp(503, "unavailable"), .twirp(408, "deadline_exceeded"),
                .twirp(429, "resource_exhausted", headers: ["Retry-After": "0"]),
            ], otherwise: .done)
        let fixture = try EnforcerFixture(url(receiver))
        fixture.remove()
        #expect(fixture.ends(1))
        #expect(fixture.counted == ["removed": 1])
        #expect(receiver.requests.count == 6)
        #expect(calls(receiver).flatMap(\.faults) == [])
        #expect(fixture.stop())
        #expect(try fixture.logged().contains("tried again"))
    }

    @Test func `who is not there any more is as good as removed`() throws {
        let receiver = try ScriptedReceiver(otherwise: .twirp(404, "not_found"))
        let fixture = try EnforcerFixture(url(receiver))
        fixture.remove()
        #expect(fixture.ends(1))
        #expect(fixture.counted == ["already_gone": 1])
        #expect(receiver.requests.count == 1)
        #expect(fixture.stop())
        #expect(try !fixture.logged().contains(#""level":"error""#))
    }

    @Test(arguments: [401, 403, 400, 404, 301])
    func `a refusal is final, and logged without names`(status: Int) throws {
        // A 404 without Twirp's code comes from a server that is not LiveKit.
        let answer: ScriptedReceiver.Answer =
            status == 404 ? .init(404, body: "<h1>ann: not found</h1>") : .twirp(status, "unauthenticated")
        let receiver = try ScriptedReceiver(otherwise: answer)
        let fixture = try EnforcerFixture(url(receiver))
        fixture.remove()
        #expect(fixture.ends(1))
        #expect(fixture.counted == ["refused": 1])
        #expect(receiver.requests.count == 1)
        #expect(fixture.stop())
        let log = try fixture.logged()
        #expect(log.contains(#""status":\#(status)"#))
        #expect(log.contains(status == 404 ? #""code":"none""# : #""code":"unauthenticated""#))
    }

    @Test func `a server that hangs is asked again, and others are not held up by it`() throws {
        let receiver = try ScriptedReceiver(script: [.hang, .hang], otherwise: .done)
        let fixture = try EnforcerFixture(url(receiver), timeout: .seconds(2))
        for number in 0..<4 { fixture.remove("red-room", "ann \(number)") }
        #expect(fixture.ends(4))
        #expect(fixture.counted == ["removed": 4])
        // There are more requests if an answer took longer than the time-out.
        #expect(receiver.requests.count >= 6)
        #expect(fixture.stop())
    }

    @Test func `where nobody listens it is given up in time`() throws {
        let fixture = try EnforcerFixture("http://127.0.0.1:\(FixedPorts.pick())")
        // The time is long enough for a first attempt on a busy machine.
        fixture.remove(within: .seconds(5))
        #expect(fixture.ends(1))
        #expect(fixture.counted == ["failed": 1])
        // A removal whose time is over already is not begun.
        fixture.remove(within: .milliseconds(-1))
        #expect(fixture.counted == ["failed": 1, "dropped": 1])
        #expect(fixture.stop())
        let log = try fixture.logged()
        #expect(log.contains(#""error":"connect""#))
        #expect(log.contains(#""level":"error""#))
    }

    @Test func `a session that has ended is not removed`() throws {
        let receiver = try ScriptedReceiver(otherwise: .twirp(503, "unavailable"))
        let fixture = try EnforcerFixture(url(receiver))
        fixture.remove()
        #expect(receiver.waitForAnswers(2))
        fixture.enforcer.withdraw(room: "red-room", identity: "ann")
        #expect(fixture.ends(1))
        #expect(fixture.counted == ["already_gone": 1])
        #expect(fixture.enforcer.count == 0)
        #expect(fixture.stop())
    }

    @Test func `a stop drops and counts what is tried again, at once`() throws {
        let receiver = try ScriptedReceiver(otherwise: .twirp(503, "unavailable", headers: ["Retry-After": "30"]))
        let fixture = try EnforcerFixture(url(receiver))
        fixture.remove()
        fixture.remove("blue")
        #expect(receiver.waitForAnswers(2))
        #expect(eventually { (try? fixture.logged().contains("tried again")) == true })
        #expect(fixture.stop())
        #expect(fixture.counted == ["dropped": 2])
        // Later removals are refused.
        fixture.remove("green")
        #expect(fixture.counted == ["dropped": 3])
        #expect(receiver.requests.count == 2)
    }

    @Test func `a stop does not wait for a server that hangs`() throws {
        let receiver = try ScriptedReceiver(otherwise: .hang)
        let fixture = try EnforcerFixture(url(receiver))
        fixture.remove()
        #expect(receiver.wait { $0.count == 1 })
        #expect(fixture.stop(within: .milliseconds(100)))
        #expect(fixture.counted == ["dropped": 1])
    }

    @Test func `a stop lets end what is under way`() throws {
        var slow = ScriptedReceiver.Answer.done
        slow.delay = .milliseconds(50)
        let receiver = try ScriptedReceiver(otherwise: slow)
        let fixture = try EnforcerFixture(url(receiver))
        fixture.remove()
        #expect(receiver.wait { $0.count == 1 })
        #expect(fixture.stop())
        #expect(fixture.counted == ["removed": 1])
    }

    @Test func `another key signs from then on`() throws {
        let receiver = try ScriptedReceiver(otherwise: .done)
        let fixture = try EnforcerFixture(url(receiver))
        fixture.enforcer.use(TokenSigner(key: "APInext", secret: Secret("another-secret-of-the-same-server")))
        fixture.remove()
        #expect(fixture.ends(1))
        let call = RoomServiceCall(
            try #require(receiver.requests.first), key: "APInext", secret: "another-secret-of-the-same-server")
        #expect(call.faults == [])
        #expect(fixture.stop())
    }
}
