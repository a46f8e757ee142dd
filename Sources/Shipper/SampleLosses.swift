import Platform
import Wire

/// Samples that are lost for good, as the log tells them: the first at once, then what each further minute took, for as
/// long as it goes on. Pure: times are parameters.
///
/// The law: every sample that is noted is in exactly one notice.
struct SampleLosses {
    enum Limits {
        /// The time between two lines, and how long nothing is lost before it is over.
        static let interval = Duration.seconds(60)
        /// Status codes that one line names.
        static let codes = 10
    }

    /// What a line says.
    enum Notice: Equatable {
        case lost(Loss)
        /// Nothing was lost for a minute, and samples were taken.
        case over(inAll: Int, since: Timestamp)
    }

    /// Samples that were lost since the line before, why, and how many it are since it began.
    struct Loss: Equatable {
        var samples: Int
        var inAll: Int
        var since: Timestamp
        /// The last answer, and how many samples each status code took.
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

    /// Samples are lost.
    mutating func note(_ samples: Int, status: Int = 0, answer: String = "", at now: MonotonicTime, wall: Timestamp) {
        since = since ?? wall
        inAll += samples
        codes[status, default: 0] += samples
        (self.status, self.answer) = (status, answer)
        lastAt = now
        wasAccepted = false
    }

    /// Others arrived.
    mutating func noteAccepted() { wasAccepted = true }

    /// When there will be something to say if nothing happens until then.
    var dueAt: MonotonicTime? {
        guard since != nil else { return nil }
        if !codes.isEmpty { return toldAt.map { $0 + Limits.interval } ?? lastAt }
        return wasAccepted ? lastAt + Limits.interval : nil
    }

    /// What is to be said now.
    ///
    /// - Parameter isLast: nothing is said later.
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
