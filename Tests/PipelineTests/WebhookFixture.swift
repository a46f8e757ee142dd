import Exporter
import Foundation
import HTTPServing
import LiveKit
import Metrics
import Pipeline
import Platform
import TestSupport
import Testing
import Wire

/// A clock whose wall time stands still. Its monotonic time runs, because waits are real.
struct StandingTime: TimeSource {
    var at: Timestamp
    func now() -> Timestamp { at }
    func monotonic() -> MonotonicTime { SystemTime().monotonic() }
}

extension RecorderInbox {
    /// Takes all events that are here now, as the recorder does.
    func takeAll(for reservations: any EventReservations) -> [AcceptedEvent] {
        var contents = Contents()
        take(into: &contents, until: SystemTime().monotonic())
        reservations.free(contents.events.count)
        return contents.events
    }
}

/// The public listener on loopback with everything that a webhook passes. The test plays the recorder.
final class WebhookFixture {
    static let key = "APIqubitalTest"
    static let secret = "secret-for-tests-only-0123456789abcdef"
    static let secondKey = "APIqubitalNext"
    static let secondSecret = "rotated-secret-for-tests-0123456789abc"

    let folder = TemporaryFolder()
    let registry = Registry(maxSeries: 10_000)
    let readiness = Readiness()
    let inbox: RecorderInbox
    let intake: WebhookIntake
    let server: Server
    let route: WebhookRoute
    let signer = TokenSigner(key: WebhookFixture.key, secret: Secret(WebhookFixture.secret))
    let now: Timestamp
    private let logFile: Int32
    private let lines: Log

    init(
        queue: Int = 1_000, patience: Duration = WebhookIntake.Limits.patience, level: Log.Level = .debug,
        at now: Timestamp = Timestamp(seconds: 1_790_000_010), maxBody: ByteCount = .mebibytes(4)
    ) throws {
        self.now = now
        logFile = open(folder.file("log"), O_WRONLY | O_CREAT | O_APPEND, 0o600)
        let time = StandingTime(at: now)
        lines = Log(level: level, format: .json, time: time, file: logFile)
        inbox = RecorderInbox(capacity: queue)
        let metrics = WebhookMetrics(in: registry)
        let answers = WebhookRoute.answers(metrics: metrics, log: lines)
        intake = WebhookIntake(answers: answers, patience: patience, journal: nil, recorder: inbox)
        route = WebhookRoute(
            verifier: TokenVerifier(
                keys: [Self.key: Secret(Self.secret), Self.secondKey: Secret(Self.secondSecret)], leeway: .seconds(60)),
            decoder: EventDecoder(), intake: intake, answers: answers, metrics: metrics, time: time, log: lines)
        server = try Server(
            listen: ListenAddress("127.0.0.1:0"), routes: Routes.public(webhook: route, readiness: readiness),
            settings: ServerSettings(maxBody: maxBody), onStray: route.strays(on: .public))
    }

    deinit {
        // Nothing logs any more once the server has stopped.
        server.stop(deadline: SystemTime().monotonic())
        lines.end()
        close(logFile)
    }

    func client() throws -> RawHTTP { try RawHTTP(port: server.address.port) }

    /// Posts a body as LiveKit does, with this `authorization`. The variant without it signs the body.
    func post(_ body: [UInt8], authorization: String?, over client: RawHTTP) -> RawHTTP.Reply? {
        client.ask("POST", "/webhook", headers: headers(authorization), body: body)
    }

    func post(_ body: [UInt8], over client: RawHTTP) -> RawHTTP.Reply? {
        post(body, authorization: signer.webhookToken(for: body.span, at: now), over: client)
    }

    func headers(_ authorization: String?) -> [(String, String)] {
        [("Content-Type", "application/webhook+json")] + (authorization.map { [("Authorization", $0)] } ?? [])
    }

    /// Takes all events that are queued now.
    func drain() -> [AcceptedEvent] {
        inbox.takeAll(for: intake)
    }

    /// The refusals by reason, without those that are 0.
    func rejected() -> [String: Int] {
        var counts: [String: Int] = [:]
        for (family, series) in registry.snapshot() where family.name == "lkpush_webhook_rejected_total" {
            for one in series {
                if case .counter(let counter) = one.instrument, counter.value > 0 {
                    counts[one.labelValues[0]] = Int(counter.value)
                }
            }
        }
        return counts
    }

    func log() throws -> String {
        #expect(lines.settle())
        return String(decoding: try FileStore.read(folder.file("log")), as: UTF8.self)
    }

    // MARK: Recorded webhooks

    static let data = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("LiveKitTests/Data")

    static func body(_ name: String) throws -> [UInt8] {
        try FileStore.read(data.appendingPathComponent(name).path, limit: 8 << 20)
    }

    /// An entry of `index.json`: a recorded body, and the headers that it came with.
    struct Recorded: Decodable {
        let file: String
        let event: String
        let id: String?
        let headers: [String: String]
    }

    static func recorded() throws -> [Recorded] {
        struct Index: Decodable { let files: [Recorded] }
        return try JSONDecoder().decode(Index.self, from: Data(body("index.json"))).files
    }

    /// A case of `negative.json`.
    struct TokenCase: Decodable, CustomTestStringConvertible {
        let name: String
        let body_file: String
        let authorization: String?
        let expect: Int
        var testDescription: String { name }
    }

    static func tokenCases() throws -> (clock: Int64, cases: [TokenCase]) {
        struct File: Decodable {
            let verify_with_clock: Int64
            let cases: [TokenCase]
        }
        let file = try JSONDecoder().decode(File.self, from: Data(body("negative/negative.json")))
        return (file.verify_with_clock, file.cases)
    }
}
