package import Wire

/// Finds what is wrong in a document, with what it costs and what to do. It is pure: it reads the document only.
///
/// A rule is one function in `all`. Each names the alert of the shipped rules that tells the same later.
package enum HealthRules {
    /// The bounds beyond which something is wrong, each with its reason.
    enum Limits {
        /// A refused webhook counts for so long. A LiveKit that is configured wrongly sends one sooner.
        static let refused = Duration.seconds(300)
        /// The same for lost samples: some intervals of pushing.
        static let lost = Duration.seconds(300)
        /// The same for rooms without an organization, and for rows: as long as the alerts look back.
        static let hour = Duration.seconds(3_600)
        /// Clocks that differ by more: as the alert.
        static let clock = 30.0
        /// A mean lag above it. LiveKit sends within a second, and repeats for 15 s.
        static let lag = 10.0
        /// The disk: as the alert.
        static let diskShare = 0.1
        static let disk_bytes = 256 << 20
        /// Samples that wait for longer, although the receiver takes some.
        static let backlog = 300.0
        /// People are connected and no event came for so long.
        static let silence = Duration.seconds(900)
        /// A queue that is filled to this share.
        static let queueShare = 0.8
        /// So many polls of LiveKit's API that fail in a row are no accident.
        static let failedPolls = 2
        /// A lost webhook is corrected within five polls. A difference that lasts for longer is not that of one.
        static let correctingPolls = 8.0
    }

    typealias Rule = @Sendable (StatusDocument) -> [Problem]

    static let all: [Rule] = [
        notReady, journal, snapshot, disk, webhooksRefused, destinations, spools, samplesLost, backlog, database,
        rowsLost, usageLost, usageTable, deadLetters, eventsSetAside, unknownRooms, clocks, queue, lag, silence,
        reconciliation, webhooksMissing, seriesRefused, noLeader, mayNotLead, leaseUnreadable, logAway, spilled,
        spillUnusable, spillLost,
    ]

    /// Everything that is wrong, the worst first.
    package static func problems(of document: StatusDocument) -> [Problem] {
        let found = all.flatMap { $0(document) }
        return found.filter { $0.severity == .critical } + found.filter { $0.severity != .critical }
    }

    /// The sum of all problems.
    package static func state(of health: HealthStatus) -> HealthState {
        if health.problems.contains(where: { $0.severity == .critical }) { return .failing }
        return health.problems.isEmpty && health.isReady ? .healthy : .degraded
    }
}

extension Problem {
    init(
        _ name: StaticString, _ severity: Severity, _ subject: String = "", what: String, cost: String, action: String,
        alert: StaticString = ""
    ) {
        self.init()
        self.name = "\(name)"
        self.severity = severity
        self.subject = subject
        self.what = what
        self.cost = cost
        self.action = action
        self.alert = "\(alert)"
    }
}

/// The times since which there are problems.
package struct ProblemTimes: Sendable {
    private struct Key: Hashable {
        let name: String
        let subject: String
    }

    private var since: [Key: Timestamp] = [:]

    package init() {}

    /// Returns the problems with the times since which each has been there. Those that are over are forgotten.
    package mutating func noted(_ problems: [Problem], at now: Timestamp) -> [Problem] {
        var known: [Key: Timestamp] = [:]
        let noted = problems.map { problem in
            var problem = problem
            let key = Key(name: problem.name, subject: problem.subject)
            problem.since = since[key] ?? now
            known[key] = problem.since
            return problem
        }
        since = known
        return noted
    }
}

/// Text of figures in sentences.
enum HealthText {
    /// A duration in the largest unit that says enough: `45 s`, `12 min`, `3 h`, `4 d`.
    static func span(_ seconds: Double) -> String {
        switch abs(seconds) {
        case ..<120: "\(Int(seconds.rounded())) s"
        case ..<7_200: "\(Int((seconds / 60).rounded())) min"
        case ..<172_800: "\(Int((seconds / 3_600).rounded())) h"
        default: "\(Int((seconds / 86_400).rounded())) d"
        }
    }

    /// A size in a binary unit: `12.3 MiB`.
    static func size(_ bytes: Int) -> String {
        var value = Double(bytes)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if abs(value) < 1_024 { return unit == "B" ? "\(bytes) B" : "\((value * 10).rounded() / 10) \(unit)" }
            value /= 1_024
        }
        return "\((value * 10).rounded() / 10) TiB"
    }

    /// A number with marks between thousands: `1,234,567`.
    static func count(_ number: Int) -> String {
        let digits = Array(String(number.magnitude))
        var text = number < 0 ? "-" : ""
        for (place, digit) in digits.enumerated() {
            if place > 0, (digits.count - place) % 3 == 0 { text.append(",") }
            text.append(digit)
        }
        return text
    }

    /// A text of another program in one line.
    static func line(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }

    /// The first letter large, for a sentence that is made of a phrase.
    static func sentence(_ phrase: String) -> String {
        let sentence = phrase.prefix(1).uppercased() + phrase.dropFirst()
        return sentence.isEmpty || ".!?".contains(sentence.suffix(1)) ? sentence : sentence + "."
    }
}
