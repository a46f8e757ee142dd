package import HTTPServing
package import LiveKit
package import Platform
import Synchronization
import Wire

/// `POST /webhook`: verifies over the raw bytes, decodes, queues and answers.
///
/// The table of answers is in the Specification, *Webhook intake*. Neither body nor token is ever logged. Keys can be
/// replaced while it runs.
package final class WebhookRoute: Sendable {
    /// The bounds of what is logged, each with its reason.
    package enum Limits {
        /// The characters of an event id. LiveKit's have 15; a longer one is cut in the log.
        package static let loggedID = 64
        /// The characters of a path and of a method. So much of a path that people or a proxy made up is recognized
        /// again; a method is one word.
        package static let loggedPath = 100
        package static let loggedMethod = 16
    }

    private let verifier: Mutex<TokenVerifier>
    private let decoder: EventDecoder
    private let intake: WebhookIntake
    private let metrics: WebhookMetrics
    private let clocks: ClockSkew
    private let time: any TimeSource
    private let log: Log
    private let answers: WebhookAnswers
    /// The refused requests, those that its answers refuse later too.
    package var rejections: WebhookRejections { answers.rejections }

    private static let path = "/webhook"
    private static let accepted = Response(status: 200)
    /// It ends the connection, because strangers have none to keep.
    private static let unauthorized = Response.text(
        401, "unauthorized\n", headers: ["WWW-Authenticate": "Bearer", "Connection": "close"])
    private static let invalid = Response.text(400, "invalid webhook\n")
    /// It has no `Retry-After`: LiveKit would wait that long instead of its own 1, 2, 4, 8 s.
    private static let busy = Response.text(503, "busy\n")
    private static let starting = Response.text(503, "starting\n")
    private static let stopping = Response.text(503, "stopping\n")

    package init(
        verifier: TokenVerifier, decoder: EventDecoder, intake: WebhookIntake, answers: WebhookAnswers,
        metrics: WebhookMetrics, clocks: ClockSkew = ClockSkew(), time: any TimeSource, log: Log
    ) {
        self.clocks = clocks
        self.verifier = Mutex(verifier)
        self.decoder = decoder
        self.intake = intake
        self.answers = answers
        self.metrics = metrics
        self.time = time
        self.log = log
    }

    /// Makes the answers to signed webhooks. Refusals are counted, noted and logged.
    package static func answers(
        metrics: WebhookMetrics, log: Log, time: any TimeSource = SystemTime()
    ) -> WebhookAnswers {
        let rejections = WebhookRejections(time: time)
        return WebhookAnswers(accepted: accepted, rejections: rejections) { refusal in
            metrics.count(refusal)
            rejections.note(refusal)
            switch refusal {
            case .queue_full, .commit_late: Self.warn(.warning, refusal.advice, log)
            case .journal_failed: Self.warn(.error, refusal.advice, log)
            // A start and a stop are in the log by themselves.
            case .starting: return starting
            case .stopping: return stopping
            case .invalid_json, .body_too_large, .no_memory, .wrong_path, .wrong_method: break
            }
            return busy
        }
    }

    private static func warn(_ level: Log.Level, _ advice: Advice, _ log: Log) {
        log.throttled(level, advice.what, ["action": advice.field])
    }

    /// Replaces the keys. From now on only the new ones are known.
    package func use(_ new: TokenVerifier) { verifier.withLock { $0 = new } }

    /// The row of the routing table.
    package var route: Route {
        Route(
            .post, Self.path, onRefusal: { self.count($0) },
            handler: { request, body in self.answer(request.header("Authorization"), body) })
    }

    private func answer(_ authorization: String?, _ body: Span<UInt8>) -> Answer {
        let now = time.now()
        if case .rejected(let reason) = verifier.withLock({ $0 }).verify(
            authorization: authorization, body: body, at: now,
            signed: { clocks.note(token: $0, receivedAt: now) })
        {
            metrics.count(reason)
            rejections.note(reason)
            log.throttled(
                .warning, reason.advice.what, ["reason": .string(reason.rawValue), "action": reason.advice.field])
            return .respond(Self.unauthorized)
        }
        let event: Event
        do throws(DecodingFault) {
            event = try decoder.decode(body)
        } catch {
            let advice = WebhookRefusal.invalid_json.advice
            metrics.count(.invalid_json)
            rejections.note(.invalid_json, detail: error.description)
            log.throttled(.warning, advice.what, ["fault": .text(error), "action": advice.field])
            return .respond(Self.invalid)
        }
        let answer = offer(AcceptedEvent(event: event, receivedAt: time.received()))
        log.debug(
            "webhook",
            ["event": .string(event.type.rawValue), "id": .string(String(event.id.prefix(Limits.loggedID)))])
        return answer
    }

    private func offer(_ event: AcceptedEvent) -> Answer {
        switch intake.offer(event, now: time.monotonic()) {
        case .accepted: .respond(Self.accepted)
        case .waiting(let pending): .wait(pending)
        case .refused(let refusal): .respond(answers.refused(refusal))
        }
    }

    private func count(_ refusal: Refusal) {
        let reason: WebhookRefusal =
            switch refusal {
            case .bodyTooLarge: .body_too_large
            case .noMemory: .no_memory
            }
        metrics.count(reason)
        rejections.note(reason)
        Self.warn(.warning, reason.advice, log)
    }

    // MARK: Stray requests

    /// The listener that a request came to.
    package enum Listener: Sendable { case `public`, `private` }

    /// Returns the handler of the requests that no route of a listener takes.
    ///
    /// LiveKit counts any answer but a failure as delivered. So a webhook that goes to the wrong place is lost without
    /// a word. One with a good token is counted and logged. A request without one is a stranger's, and nothing is said.
    /// The body is not read, so its hash is not checked.
    package func strays(on listener: Listener) -> StrayHandler { { self.note($0, on: listener) } }

    private func note(_ request: borrowing StrayRequest, on listener: Listener) {
        guard let authorization = request.header("Authorization"),
            case .accepted = verifier.withLock({ $0 }).verifyWithoutBody(authorization: authorization, at: time.now())
        else { return }
        let refusal: WebhookRefusal =
            listener == .public && request.route == Self.path ? .wrong_method : .wrong_path
        let advice = listener == .private ? WebhookRefusal.privateListener : refusal.advice
        let method = request.method.excerpt(characters: Limits.loggedMethod)
        let path = Self.shown(request.path)
        metrics.count(refusal)
        rejections.note(refusal.rawValue, advice, detail: "\(method) \(path)")
        log.throttled(
            .warning, advice.what,
            [
                "reason": .string(refusal.rawValue), "method": .string(method), "path": .string(path),
                "action": advice.field,
            ])
    }

    /// Returns a path without the query or fragment that an escaped `?` or `#` made a part of it.
    private static func shown(_ path: String) -> String {
        guard path.utf8.first == UInt8(ascii: "/") else { return "(none)" }
        let bare = String(path.unicodeScalars.prefix { $0 != "?" && $0 != "#" })
        let text = bare.excerpt(characters: Limits.loggedPath)
        return bare.utf8.count == path.utf8.count ? text : text + "?••••"
    }
}
