import Platform
import Wire

/// Turns lost samples into log lines: one at once for the first loss, then one per minute for as long as samples are
/// lost. It is a machine: times are parameters.
///
/// Invariant: every sample that is noted is in exactly one notice.
struct SampleLosses {
    enum Limits {
        /// The time between two lines. A loss is over when nothing was lost for this long.
        static let interval = Duration.seconds(60)
        /// The most status codes that one line names.
        static let codes = 10
    }

    /// The content of a line.
    enum Notice: Equatable {
        case lost(Loss)
        /// The loss is over: nothing was lost for a minute, and samples were accepted.
        case over(inAll: Int, since: Timestamp)
    }

    /// The samples that were lost since the line before, the reasons, and the total since the loss began.
    struct Loss: Equatable {
        var samples: Int
        var inAll: Int
        var since: Timestamp
        /// The status of the last answer, its text, and the number of samples that were lost by each status code.
        var status: Int
        var answer: String
        var codes: [Int: Int]
    }

    private var since: Timestamp?
    private var inAll = 0
    private var codes: [Int: Int] = [:]
    private var status = 0
    private var answer = ""
    private var toldAt: MonotonicTime?
    private var lastAt = MonotonicTime(nanoseconds: 0)
    private var wasAccepted = false

    /// Notes samples that were lost.
    mutating func note(_ samples: Int, status: Int = 0, answer: String = "", at now: MonotonicTime, wall: Timestamp) {
        since = since ?? wall
        inAll += samples
        codes[status, default: 0] += samples
        (self.status, self.answer) = (status, answer)
        lastAt = now
        wasAccepted = false
    }

    /// Notes that other samples were accepted.
    mutating func noteAccepted() { wasAccepted = true }

    /// The time of the next line if nothing happens until then.
    var dueAt: MonotonicTime? {
        guard since != nil else { return nil }
        if !codes.isEmpty { return toldAt.map { $0 + Limits.interval } ?? lastAt }
        return wasAccepted ? lastAt + Limits.interval : nil
    }

    /// The line that is due now, if any.
    ///
    /// - Parameter isLast: no line follows, so a loss is reported at once.
    mutating func notice(at now: MonotonicTime, isLast: Bool = false) -> Notice? {
        guard let since, let dueAt, isLast && !codes.isEmpty || now >= dueAt else { return nil }
        guard codes.isEmpty else {
            defer {
                codes.removeAll()
                toldAt = now
            }
            return .lost(
                Loss(
                    samples: codes.values.reduce(0, +), inAll: inAll, since: since, status: status, answer: answer,
                    codes: codes))
        }
        defer { self = SampleLosses() }
        return .over(inAll: inAll, since: since)
    }
}
