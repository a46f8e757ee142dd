package import HTTPServing
package import LiveKit
package import Platform
import Synchronization
import Wire

/// `POST /webhook`: verify over the raw bytes, decode, queue, answer. SPEC 2 holds the table of answers.
///
/// Neither body nor token is ever logged. Keys can be replaced while it runs.
package final class WebhookRoute: Sendable {
    /// The bounds of what is logged, each with its reason.
    package enum Limits {
        /// LiveKit's event ids have 15 characters; a longer one is cut in the log.
        package static let loggedID = 64
    }

    private let verifier: Mutex<TokenVerifier>
    private let decoder: EventDecoder
    private let intake: WebhookIntake
    private let metrics: WebhookMetrics
    private let time: any TimeSource
    private let log: Log
    private let answers: WebhookIntake.Answers

    private static let accepted = Response(status: 200)
    /// Ends the connection: strangers have none to keep.
    private static let unauthorized = Response.text(
        401, "unauthorized\n", headers: ["WWW-Authenticate": "Bearer", "Connection": "close"])
    private static let invalid = Response.text(400, "invalid webhook\n")
    /// Without `Retry-After`: LiveKit would wait that long instead of its own 1, 2, 4, 8 s.
    private static let busy = Response.text(503, "busy\n")
    private static let starting = Response.text(503, "starting\n")
    private static let stopping = Response.text(503, "stopping\n")

    package init(
        verifier: TokenVerifier, decoder: EventDecoder, intake: WebhookIntake, metrics: WebhookMetrics,
        time: any TimeSource, log: Log
    ) {
        self.verifier = Mutex(verifier)
        self.decoder = decoder
        self.intake = intake
        self.metrics = metrics
        self.time = time
        self.log = log
        answers = WebhookIntake.Answers(accepted: Self.accepted) { refusal in
            metrics.count(refusal)
            switch refusal {
            case .queue_full:
                log.throttled(.warning, "the queue of events was full for too long: a webhook was refused")
            case .commit_late:
                log.throttled(.warning, "the journal is slow: a webhook was answered 503, its event is kept")
            case .journal_failed:
                log.throttled(.error, "the journal cannot be written: a webhook was refused")
            case .starting: return Self.starting
            case .stopping: return Self.stopping
            case .invalid_json, .body_too_large, .no_memory: break
            }
            return Self.busy
        }
    }

    /// Replaces the keys: from now on only the new ones are known.
    package func use(_ new: TokenVerifier) { verifier.withLock { $0 = new } }

    /// The row of the routing table.
    package var route: Route {
        Route(
            .post, "/webhook", onRefusal: { self.count($0) },
            handler: { request, body in self.answer(request.header("Authorization"), body) })
    }

    private func answer(_ authorization: String?, _ body: Span<UInt8>) -> Answer {
        let now = time.now()
        if case .rejected(let reason) = verifier.withLock({ $0 }).verify(
            authorization: authorization, body: body, at: now)
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
        switch intake.offer(event, now: time.monotonic(), answers: answers) {
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

    /// Says what is wrong where someone can repair it. One message per reason: each is throttled by itself.
    private func warn(_ reason: Rejection) {
        let message: StaticString =
            switch reason {
            case .no_token: "a webhook was refused: it has no token"
            case .malformed_token: "a webhook was refused: its token is malformed"
            case .unknown_key: "a webhook was refused: its API key is not configured, see LIVEKIT_API_KEY"
            case .bad_signature: "a webhook was refused: it is signed with another secret than LIVEKIT_API_SECRET"
            case .expired: "a webhook was refused: its token has expired, compare the clocks"
            case .not_yet_valid: "a webhook was refused: its token is from the future, compare the clocks"
            case .body_hash_mismatch: "a webhook was refused: its body is not the one that was signed"
            }
        log.throttled(.warning, message, ["reason": .string(reason.rawValue)])
    }
}
