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

    /// Makes the answers to signed webhooks. Refusals are counted and logged.
    package static func answers(metrics: WebhookMetrics, log: Log) -> WebhookAnswers {
        WebhookAnswers(accepted: accepted) { refusal in
            metrics.count(refusal)
            switch refusal {
            case .queue_full:
                log.throttled(.warning, "the queue of events was full for too long: a webhook was refused")
            case .commit_late:
                log.throttled(.warning, "the journal is slow: a webhook was answered 503, its event is kept")
            case .journal_failed:
                log.throttled(.error, "the journal cannot be written: a webhook was refused")
            case .starting: return starting
            case .stopping: return stopping
            case .invalid_json, .body_too_large, .no_memory, .wrong_path, .wrong_method: break
            }
            return busy
        }
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
            warn(reason)
            return .respond(Self.unauthorized)
        }
        let event: Event
        do throws(DecodingFault) {
            event = try decoder.decode(body)
        } catch {
            metrics.count(.invalid_json)
            log.throttled(.warning, "a signed webhook is not readable", ["fault": .text(error)])
            return .respond(Self.invalid)
        }
        let answer = offer(AcceptedEvent(event: event, receivedAt: now))
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
        switch refusal {
        case .bodyTooLarge:
            metrics.count(.body_too_large)
            log.throttled(.warning, "a webhook was refused: its body is longer than WEBHOOK_MAX_BODY")
        case .noMemory:
            metrics.count(.no_memory)
            log.throttled(.warning, "a webhook was refused: too many bodies are being received at once")
        }
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
        let refusal: WebhookRefusal
        let message: StaticString
        if listener == .private {
            refusal = .wrong_path
            message = """
                a signed webhook came to the private listener: it is lost, although LiveKit counts it as delivered; \
                let LiveKit's webhook URL lead to LISTEN instead of METRICS_LISTEN
                """
        } else if request.route == Self.path {
            refusal = .wrong_method
            message = """
                a signed webhook came with another method than POST: it is lost, although LiveKit counts it as \
                delivered; a redirect does that, let LiveKit's webhook URL be the address it leads to
                """
        } else {
            refusal = .wrong_path
            message = """
                a signed webhook came to a wrong path: it is lost, although LiveKit counts it as delivered; let \
                LiveKit's webhook URL end in /webhook, and no proxy change the path
                """
        }
        metrics.count(refusal)
        log.throttled(
            .warning, message,
            [
                "reason": .string(refusal.rawValue),
                "method": .string(request.method.excerpt(characters: Limits.loggedMethod)),
                "path": .string(Self.shown(request.path)),
            ])
    }

    /// Returns a path without the query or fragment that an escaped `?` or `#` made a part of it.
    private static func shown(_ path: String) -> String {
        guard path.utf8.first == UInt8(ascii: "/") else { return "(none)" }
        let bare = String(path.unicodeScalars.prefix { $0 != "?" && $0 != "#" })
        let text = bare.excerpt(characters: Limits.loggedPath)
        return bare.utf8.count == path.utf8.count ? text : text + "?••••"
    }

    /// Logs why a token was rejected, and what to do where someone can repair it. Each reason has its own message, so
    /// each is throttled by itself.
    private func warn(_ reason: TokenFault) {
        let message: StaticString =
            switch reason {
            case .no_token: "a request to /webhook was refused: it has no token, so it is not LiveKit's"
            case .malformed_token: "a request to /webhook was refused: its token is malformed, so it is not LiveKit's"
            case .unknown_key:
                """
                a webhook was refused: its API key is not configured. Where LiveKit sent it, its event is lost: give the \
                key in LIVEKIT_API_KEY or LIVEKIT_KEYS_FILE
                """
            case .bad_signature:
                """
                a webhook was refused: it is signed with another secret than that of its key. Where LiveKit sent it, its \
                event is lost: compare LIVEKIT_API_SECRET or LIVEKIT_KEYS_FILE with LiveKit's own, quotes and blanks too
                """
            case .expired:
                """
                a webhook was refused: its token has expired. Where LiveKit sent it, its event is lost: compare the \
                clocks, see WEBHOOK_CLOCK_LEEWAY
                """
            case .not_yet_valid:
                """
                a webhook was refused: its token is from the future. Where LiveKit sent it, its event is lost: compare \
                the clocks, see WEBHOOK_CLOCK_LEEWAY
                """
            case .body_hash_mismatch:
                """
                a webhook was refused: its body is not the one that was signed. Where LiveKit sent it, its event is lost: \
                let no proxy change bodies
                """
            }
        log.throttled(.warning, message, ["reason": .string(reason.rawValue)])
    }
}
