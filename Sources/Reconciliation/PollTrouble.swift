import Wire

/// Decides what is told about polls that fail, and about lists that are not believed: once when that begins or changes, and
/// once when it is over. It is pure.
struct PollTrouble: Sendable {
    /// The kinds of trouble. Each has a line of its own in the log.
    enum Kind: Sendable, Hashable, CaseIterable {
        /// LiveKit does not accept the key, or its key has not the right.
        case refused
        /// What answers has no such call.
        case wrongAddress
        /// LiveKit takes no more calls now.
        case limited
        /// LiveKit answers with an error of its own.
        case failing
        /// No answer comes.
        case unanswered
        case garbage
        case tooLarge
        case busyRecorder

        init(_ failure: CallFailure) {
            self =
                switch failure.kind {
                case .unanswered: .unanswered
                case .refused(401, _, _), .refused(403, _, _): .refused
                case .refused(429, _, _): .limited
                case .refused(500..., _, _): .failing
                case .refused: .wrongAddress
                case .garbage: .garbage
                case .tooLarge: .tooLarge
                }
        }

        /// A sentence for people: what to do.
        var action: String {
            switch self {
            case .refused: "give the key the rights to list rooms, egress and ingress, or set another key"
            case .wrongAddress: "set LIVEKIT_URL to the address that clients connect to"
            case .limited: "nothing, it is asked again later; where it lasts, poll more rarely"
            case .failing: "see the log of LiveKit"
            case .unanswered: "check that LiveKit runs, LIVEKIT_URL, and firewalls and proxies on the way"
            case .garbage: "check LIVEKIT_URL, and proxies on the way"
            case .tooLarge: "set RECONCILE_INTERVAL=0: so many rooms cannot be compared"
            case .busyRecorder: "see what keeps the recorder busy"
            }
        }

        /// The variables concerned.
        var setting: String {
            switch self {
            case .refused: "LIVEKIT_API_KEY, LIVEKIT_API_SECRET, LIVEKIT_KEYS_FILE"
            case .wrongAddress, .unanswered, .garbage, .failing: "LIVEKIT_URL"
            case .limited, .tooLarge, .busyRecorder: "RECONCILE_INTERVAL"
            }
        }
    }

    /// Polls that failed one after the other.
    private(set) var failures = 0
    private var told: Set<Kind> = []
    private var doubts: Set<Poll.Doubt> = []

    /// Notes that a poll failed. Returns true if this is to be told now.
    mutating func failed(_ kind: Kind) -> Bool {
        failures += 1
        return told.insert(kind).inserted
    }

    /// Notes that all lists came. Returns the number of polls that had failed before, to be told; nil if none had.
    mutating func succeeded() -> Int? {
        defer {
            failures = 0
            told = []
        }
        return failures > 0 ? failures : nil
    }

    /// Notes the doubts about a poll. Returns those that are to be told, and true if there are none any more.
    mutating func doubted(_ now: [Poll.Doubt]) -> (new: [Poll.Doubt], isOver: Bool) {
        let new = now.filter { !doubts.contains($0) }
        let isOver = now.isEmpty && !doubts.isEmpty
        if now.isEmpty { doubts = [] } else { doubts.formUnion(now) }
        return (new, isOver)
    }
}
