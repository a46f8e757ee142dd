import HTTPClient
import LiveKit
import Metrics
import Platform
import Reconciliation
import Recording
import Status
import TestSupport
import Testing
import Wire

/// The thread, against stand-ins for LiveKit's server API.
@Suite struct PollerThreadTests {
    /// A poller that polls all the time, with its metrics and everything that it logs.
    private final class PollerFixture {
        let registry = Registry(maxSeries: 200)
        let recorder: ScriptedRecorder
        let poller: PollerThread
        let log = LogFile()
        private let time = SystemTime()

        init(
            _ url: String, recorder: ScriptedRecorder = ScriptedRecorder(), interval: Duration = .milliseconds(10),
            _ change: (inout PollerSettings) -> Void = { _ in }
        ) throws {
            self.recorder = recorder
            var settings = try #require(
                PollerSettings(serverURL: url, userAgent: "lkpush/test", interval: interval))
            settings.listTimeout = Waits.limit
            settings.timeout = Waits.limit
            settings.connectTimeout = Waits.limit
            change(&settings)
            poller = try PollerThread(
                settings, signer: TokenSigner(key: "APIserver", secret: Secret("secret-for-tests-0123456789abcdef")),
                recorder: recorder, registry: registry, log: log.log)
            poller.begin()
        }

        /// The series of a family that are not 0, by label values.
        func values(_ name: String) -> [[String]: Double] {
            registry.collect()
            var values: [[String]: Double] = [:]
            for family in registry.snapshot() where family.family.name == "lkpush_reconcile_\(name)" {
                for series in family.series {
                    switch series.instrument {
                    case .counter(let counter): values[series.labelValues] = counter.value
                    case .gauge(let gauge): values[series.labelValues] = gauge.value
                    case .histogram: break
                    }
                }
            }
            return values.filter { $0.value != 0 }
        }

        /// On a busy machine the thread may miss its deadline, so this tries again.
        func stop() -> Bool { eventually { poller.stop(by: time.monotonic() + Waits.limit) } }
    }

    // MARK: What is asked

    @Test func `a poll asks for three lists with the right that each needs, and nothing else`() throws {
        let server = try ListServer()
        let fixture = try PollerFixture(server.url)
        let results = fixture.recorder.results(3)
        #expect(fixture.stop())
        let calls = Set(server.calls.map { "\($0.name) \($0.body)" })
        #expect(calls == ["ListRooms {}", "ListEgress {}", "ListIngress {}"])
        for call in server.calls {
            let grant = ["ListRooms": "roomList", "ListEgress": "roomRecord", "ListIngress": "ingressAdmin"][call.name]
            #expect(call.claims.contains(#""video":{"\#(grant ?? "")":true}"#))
            #expect(call.claims.contains(#""iss":"APIserver""#))
        }
        #expect(results.allSatisfy { $0.corrections.isEmpty })
        #expect(fixture.values("requests_total").keys.map { $0[1] } == ["200", "200", "200"])
        #expect(fixture.values("drift").isEmpty)
        #expect((fixture.values("last_success_timestamp_seconds")[[]] ?? 0) > 1_700_000_000)
        #expect(try fixture.log.lines("the state is compared with LiveKit's API").count == 1)
        #expect(try fixture.log.lines(#""level":"warning""#).isEmpty && fixture.log.lines(#""level":"error""#).isEmpty)
        #expect(try fixture.log.lines("eyJ").isEmpty)
    }

    @Test func `only running egress is asked for where webhooks come, and all pages of it`() throws {
        let server = try ListServer { call in
            switch (call.name, call.body) {
            case ("ListEgress", "{}"), ("ListEgress", #"{"active":true}"#):
                (200, #"{"items":[{"egress_id":"EG_1"}],"next_page_token":{"token":"p2"}}"#)
            case ("ListEgress", _): (200, #"{"items":[{"egress_id":"EG_2"}],"next_page_token":null}"#)
            default: (200, "{}")
            }
        }
        let recorder = ScriptedRecorder { _ in
            var comparison = Comparison()
            comparison.lastWebhook = SystemTime().now()
            return comparison
        }
        let fixture = try PollerFixture(server.url, recorder: recorder)
        _ = recorder.results(3)
        #expect(fixture.stop())
        let bodies = server.calls.filter { $0.name == "ListEgress" }.map(\.body)
        #expect(
            bodies.prefix(4) == [
                "{}", #"{"page_token":{"token":"p2"}}"#, #"{"active":true}"#,
                #"{"active":true,"page_token":{"token":"p2"}}"#,
            ])
        for listing in recorder.listings { #expect(listing.egress.map(\.egress.id) == ["EG_1", "EG_2"]) }
        #expect(recorder.listings.map(\.hasEndedEgress).prefix(3) == [true, false, false])
    }

    @Test func `a room whose call fails keeps nothing else from being corrected, and is told once`() throws {
        let server = try ListServer { call in
            switch call.name {
            case "ListRooms":
                (200, #"{"rooms":[{"sid":"RM_a","name":"red","num_participants":1},{"sid":"RM_b","name":"blue"}]}"#)
            case "ListParticipants": (503, #"{"code":"unavailable","msg":"no node"}"#)
            default: (200, #"{"items":[]}"#)
            }
        }
        let recorder = ScriptedRecorder { _ in
            var comparison = Comparison()
            comparison.differingRooms = [.init(place: 0, counted: 2, lastEvent: Timestamp(seconds: 1))]
            comparison.absentRooms = [.init(sid: "RM_c", name: "green", lastEvent: Timestamp(seconds: 1))]
            comparison.openRooms = 2
            return comparison
        }
        let fixture = try PollerFixture(server.url, recorder: recorder)
        let results = recorder.results(6)
        #expect(eventually { fixture.poller.status.failures >= 4 })
        #expect(fixture.poller.status.cause.contains("ListParticipants: status 503"))
        #expect(fixture.stop())
        #expect(results[1].corrections == [.endRoom(sid: "RM_c", at: nil)])
        #expect(results.allSatisfy { $0.differingRooms == ["RM_a"] && $0.settledRooms == [] })
        #expect(try fixture.log.lines("LiveKit's API fails").count == 1)
        #expect(try fixture.log.lines("LiveKit's API answers again").isEmpty)
    }

    @Test func `rooms that differ and jobs that are missing are asked for, and the result left to the recorder`() throws
    {
        let server = try ListServer { call in
            switch call.name {
            case "ListRooms":
                (200, #"{"rooms":[{"sid":"RM_a","name":"red","num_participants":1,"creation_time":"1760000000"}]}"#)
            case "ListParticipants":
                (
                    200,
                    #"{"participants":[{"sid":"PA_a","identity":"ann","state":"ACTIVE","joined_at":"1760000000"}]}"#
                )
            case "ListEgress" where call.body.contains("egress_id"):
                (404, #"{"code":"not_found","msg":"egress does not exist"}"#)
            default: (200, #"{"items":[]}"#)
            }
        }
        let recorder = ScriptedRecorder { listing in
            var comparison = Comparison()
            comparison.unknownRooms = [.init(place: 0, endedAt: nil)]
            comparison.absentEgress = [
                .init(key: "EG_a", ingressID: "", lastEvent: Timestamp(seconds: 1), place: nil)
            ]
            comparison.openEgress = 1
            return comparison
        }
        let fixture = try PollerFixture(server.url, recorder: recorder)
        let results = recorder.results(3)
        #expect(fixture.stop())
        #expect(results[0].corrections == [])
        guard case .adoptRoom(let room)? = results[1].corrections.first,
            case .adoptParticipant(let participant, "RM_a")? = results[1].corrections.last
        else {
            Issue.record("\(results[1].corrections)")
            return
        }
        #expect(room.name == "red" && participant.identity == "ann" && results[1].corrections.count == 2)
        #expect(results[2].corrections == [.dropEgress(id: "EG_a")])
        #expect(recorder.members.first?.participants.map(\.participant.sid) == ["PA_a"])
        let single = try #require(server.calls.first { $0.name == "ListParticipants" })
        #expect(single.body == #"{"room":"red"}"#)
        #expect(single.claims.contains(#""video":{"roomAdmin":true,"room":"red"}"#))
        #expect(fixture.values("drift")[["egress", "extra"]] == 1)
        #expect(fixture.values("drift")[["room", "missing"]] == 1)
        #expect(fixture.values("requests_total")[["ListEgress", "404"]] != nil)
        let shown = fixture.poller.status
        #expect(shown.entities.map(\.entity) == ["room", "participant", "track", "egress", "ingress"])
        #expect(shown.entities[3].extra == 1 && shown.lastSuccess != nil && shown.cause.isEmpty)
    }

    @Test func `a server without egress and ingress has none`() throws {
        let server = try ListServer { call in
            call.name == "ListRooms"
                ? (200, #"{"rooms":[]}"#)
                : (500, #"{"code":"internal","msg":"twirp error unknown: egress not connected (redis required)"}"#)
        }
        let fixture = try PollerFixture(server.url)
        #expect(fixture.recorder.results(2).count >= 2)
        #expect(fixture.stop())
        #expect(fixture.values("requests_total")[["ListIngress", "not_connected"]] != nil)
    }

    @Test func `an empty list that is not believed leaves no result, and is told once`() throws {
        let server = try ListServer()
        let recorder = ScriptedRecorder { _ in
            var comparison = Comparison()
            comparison.absentRooms = [.init(sid: "RM_a", name: "a", lastEvent: Timestamp(seconds: 1))]
            comparison.lastWebhook = SystemTime().now()
            return comparison
        }
        let fixture = try PollerFixture(server.url, recorder: recorder)
        #expect(eventually { (fixture.values("untrusted_total")[["empty_list"]] ?? 0) >= 3 })
        #expect(fixture.poller.status.doubt == "empty_list")
        server.answer { _ in (200, #"{"rooms":[{"sid":"RM_b"}]}"#) }
        server.answer { call in (200, call.name == "ListRooms" ? #"{"rooms":[{"sid":"RM_b"}]}"# : "{}") }
        _ = recorder.results(1)
        #expect(eventually { (try? fixture.log.lines("are believed again").count) == 1 })
        #expect(fixture.stop())
        #expect(try fixture.log.lines("LiveKit lists nothing").count == 1)
    }

    @Test func `another key signs from the next poll on`() throws {
        let server = try ListServer()
        let fixture = try PollerFixture(server.url)
        _ = fixture.recorder.results(1)
        fixture.poller.use(TokenSigner(key: "APInext", secret: Secret("another-secret-of-the-same-server")))
        #expect(eventually { server.calls.last?.claims.contains(#""iss":"APInext""#) == true })
        #expect(fixture.stop())
        #expect(try fixture.log.lines("signed with the new key").count == 1)
    }

    // MARK: What goes wrong

    struct Trouble: Sendable, CustomTestStringConvertible {
        let answer: ScriptedReceiver.Answer
        let code: String
        let message: String
        var testDescription: String { code }
    }

    @Test(arguments: [
        Trouble(answer: .twirp(401, "unauthenticated"), code: "401", message: "LiveKit refuses a call"),
        Trouble(answer: .twirp(403, "permission_denied"), code: "403", message: "LiveKit refuses a call"),
        Trouble(answer: .init(404, body: "<h1>"), code: "404", message: "has no such call"),
        Trouble(answer: .twirp(429, "resource_exhausted"), code: "429", message: "takes no more calls"),
        Trouble(answer: .twirp(503, "unavailable"), code: "503", message: "LiveKit's API fails"),
        Trouble(answer: .init(200, body: "<html>"), code: "garbage", message: "answers with no list"),
        Trouble(answer: .init(200, body: "null"), code: "garbage", message: "answers with no list"),
        Trouble(answer: .init(200, behaviour: .cutBody), code: "reset", message: "does not answer"),
        Trouble(answer: .reset, code: "reset", message: "does not answer"),
        Trouble(answer: .init(200, behaviour: .endlessBody), code: "too_large", message: "is too large"),
    ])
    func `a trouble is told once and counted, corrects nothing, and is over when lists come`(trouble: Trouble) throws {
        let receiver = try ScriptedReceiver(otherwise: trouble.answer)
        let fixture = try PollerFixture("http://127.0.0.1:\(receiver.port)") { $0.answer_bytes_max = 128 << 10 }
        #expect(eventually { fixture.poller.status.failures >= 3 })
        let status = fixture.poller.status
        #expect(!status.cause.isEmpty && !status.action.isEmpty && !status.setting.isEmpty)
        #expect(status.lastSuccess == nil && fixture.recorder.listings.isEmpty)
        receiver.answer(.init(200, body: "{}"))
        _ = fixture.recorder.results(1)
        #expect(eventually { fixture.poller.status.failures == 0 })
        #expect(fixture.stop())
        // The first list that fails ends the poll.
        #expect((fixture.values("requests_total")[["ListRooms", trouble.code]] ?? 0) >= 3)
        #expect(try fixture.log.lines(trouble.message).count == 1)
        #expect(try fixture.log.lines("LiveKit's API answers again").count == 1)
        for secret in ["ann", "red-room", "Bearer", "eyJ"] { #expect(try fixture.log.lines(secret).isEmpty) }
    }

    @Test func `where nobody listens it is told, and the next poll asks again`() throws {
        let fixture = try PollerFixture("http://127.0.0.1:\(FixedPorts.pick())")
        #expect(eventually { fixture.poller.status.failures >= 3 })
        #expect(fixture.stop())
        #expect((fixture.values("requests_total")[["ListRooms", "connect"]] ?? 0) >= 3)
        #expect(try fixture.log.lines("LiveKit's API does not answer").count == 1)
    }

    @Test func `a server that hangs is given up, and told once`() throws {
        let receiver = try ScriptedReceiver(otherwise: .hang)
        let fixture = try PollerFixture("http://127.0.0.1:\(receiver.port)") { $0.listTimeout = .milliseconds(200) }
        #expect(eventually { fixture.poller.status.failures >= 2 })
        #expect(fixture.stop())
        #expect(try fixture.log.lines("LiveKit's API does not answer").count == 1)
    }

    @Test func `the next poll waits as long as LiveKit asks for`() throws {
        let receiver = try ScriptedReceiver(
            otherwise: .twirp(429, "resource_exhausted", headers: ["Retry-After": "1"]))
        let fixture = try PollerFixture("http://127.0.0.1:\(receiver.port)")
        #expect(receiver.wait { $0.count >= 4 })
        #expect(fixture.stop())
        let times = receiver.requests.map(\.at)
        #expect(times[3].since(times[0]) >= .seconds(1))
    }

    @Test func `a stop does not wait for a server that hangs`() throws {
        let receiver = try ScriptedReceiver(otherwise: .hang)
        let fixture = try PollerFixture("http://127.0.0.1:\(receiver.port)")
        #expect(receiver.wait { $0.count == 1 })
        let start = SystemTime().monotonic()
        #expect(fixture.stop())
        #expect(Promptness.holds(since: start, within: .seconds(1)))
    }

    @Test func `a stop does not wait for a recorder that is silent`() throws {
        let server = try ListServer()
        let recorder = ScriptedRecorder()
        recorder.fallSilent()
        let fixture = try PollerFixture(server.url, recorder: recorder)
        #expect(eventually { !recorder.listings.isEmpty })
        #expect(fixture.stop())
    }

    @Test func `nothing is asked before the recorder can answer`() throws {
        let server = try ListServer()
        let settings = try #require(
            PollerSettings(serverURL: server.url, userAgent: "lkpush/test", interval: .milliseconds(1)))
        let log = LogFile()
        let poller = try PollerThread(
            settings, signer: TokenSigner(key: "a", secret: Secret("b")), recorder: ScriptedRecorder(),
            registry: Registry(maxSeries: 100), log: log.log)
        #expect(eventually { poller.stop(by: SystemTime().monotonic() + Waits.limit) })
        #expect(server.calls.isEmpty)
    }
}
