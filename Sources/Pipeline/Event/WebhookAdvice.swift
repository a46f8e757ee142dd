package import LiveKit
package import Platform

// Why requests to the listeners are refused, and what to do. Each reason has its own message, so each is throttled by
// itself.

extension TokenFault {
    /// The fault of the token, and the way to repair it.
    package var advice: Advice {
        switch self {
        case .no_token:
            Advice(
                what: "a request to /webhook was refused: it has no token, so it is not LiveKit's",
                action: """
                    nothing, unless it repeats: then keep strangers out with a firewall, and let no proxy remove the header \
                    Authorization
                    """)
        case .malformed_token:
            Advice(
                what: "a request to /webhook was refused: its token is malformed, so it is not LiveKit's",
                action: """
                    nothing, unless it repeats: then keep strangers out with a firewall, and let no proxy replace the \
                    header Authorization
                    """)
        case .unknown_key:
            Advice(
                what: """
                    a webhook was refused: its API key is not configured. If LiveKit sent it, its event is lost
                    """,
                action: """
                    give the key in LIVEKIT_API_KEY or LIVEKIT_KEYS_FILE: the one that signs webhooks is webhook.api_key \
                    in LiveKit's configuration
                    """)
        case .bad_signature:
            Advice(
                what: """
                    a webhook was refused: it is signed with another secret than that of its key. If LiveKit sent it, its \
                    event is lost
                    """,
                action: """
                    compare LIVEKIT_API_SECRET or LIVEKIT_KEYS_FILE with LiveKit's own, quotes and blanks too
                    """)
        case .expired:
            Advice(
                what: "a webhook was refused: its token has expired. If LiveKit sent it, its event is lost",
                action: """
                    compare the clocks here and at LiveKit, and let NTP set both; let no proxy hold webhooks back, see \
                    WEBHOOK_CLOCK_LEEWAY
                    """)
        case .not_yet_valid:
            Advice(
                what: "a webhook was refused: its token is from the future. If LiveKit sent it, its event is lost",
                action: "compare the clocks here and at LiveKit, and let NTP set both, see WEBHOOK_CLOCK_LEEWAY")
        case .body_hash_mismatch:
            Advice(
                what: """
                    a webhook was refused: its body is not the one that was signed. If LiveKit sent it, its event is lost
                    """,
                action: "let no proxy change bodies")
        }
    }
}

extension WebhookRefusal {
    /// The reason of the refusal, and the way to repair it.
    package var advice: Advice {
        switch self {
        case .wrong_path:
            Advice(
                what: """
                    a signed webhook came to a wrong path: it is lost, although LiveKit counts it as delivered
                    """,
                action: "let LiveKit's webhook URL end in /webhook, and no proxy change the path")
        case .wrong_method:
            Advice(
                what: """
                    a signed webhook came with another method than POST: it is lost, although LiveKit counts it as delivered
                    """,
                action: "a redirect does that: let LiveKit's webhook URL be the address it leads to")
        case .invalid_json:
            Advice(
                what: "a signed webhook is not readable: its event is lost",
                action: """
                    see the fault: LiveKit may be newer than this lkpush, or something else signs with its key; report it \
                    where LiveKit sent it
                    """)
        case .body_too_large:
            Advice(
                what: """
                    a webhook was refused: its body is longer than WEBHOOK_MAX_BODY. If LiveKit sent it, its event is lost
                    """,
                action: "raise WEBHOOK_MAX_BODY")
        case .no_memory:
            Advice(
                what: "a webhook was refused: too many bodies are being received at once; LiveKit repeats it",
                action: "find out who sends large bodies slowly, and let only LiveKit reach LISTEN")
        case .queue_full:
            Advice(
                what: "the queue of events was full for too long: a webhook was refused; LiveKit repeats it",
                action: """
                    raise QUEUE_SIZE where it is a burst; where it lasts, see whether the database answers, and give \
                    lkpush more of a processor
                    """)
        case .commit_late:
            Advice(
                what: "the journal is slow: a webhook was answered 503, its event is kept",
                action: "see what else writes to the disk of STATE_DIR, or put STATE_DIR on a faster one")
        case .journal_failed:
            Advice(
                what: "the journal cannot be written: a webhook was refused; LiveKit repeats it for some seconds",
                action: "make room on the disk of STATE_DIR, or mend it: see the error of the journal")
        case .starting:
            Advice(
                what: "a webhook was refused while the state was being restored; LiveKit repeats it",
                action: "wait: where it lasts, /readyz says why")
        case .stopping:
            Advice(
                what: "a webhook was refused while lkpush stopped; LiveKit repeats it",
                action: "nothing, if lkpush is started again within seconds")
        }
    }

    /// A webhook that came to the private listener counts as one with a wrong path, and wants something else.
    static var privateListener: Advice {
        Advice(
            what: """
                a signed webhook came to the private listener: it is lost, although LiveKit counts it as delivered
                """,
            action: "let LiveKit's webhook URL lead to LISTEN instead of METRICS_LISTEN")
    }
}
