import Status
import Wire

/// Plain lines about a running lkpush, for files and pipes: a block at each interval, and problems when they change.
struct PlainReport: Sendable {
    enum Limits {
        /// The width of the lines, whatever reads them.
        static let columns = 80
    }

    /// What makes a problem another one. Figures in its words change all the time.
    private struct Mark: Equatable {
        let name: String
        let subject: String
        let severity: Severity
        let words: String

        init(_ problem: Problem) {
            name = problem.name
            subject = problem.subject
            severity = problem.severity
            words = String(
                String.UnicodeScalarView(
                    (problem.what + problem.action).unicodeScalars.filter { !("0"..."9").contains($0) }))
        }
    }

    private let glyphs: Glyphs
    private let columns: Int
    private var marks: [Mark] = []
    private var obstacles: [String] = []
    private var isSilent = false

    init(glyphs: Glyphs, columns: Int = Limits.columns) {
        self.glyphs = glyphs
        self.columns = min(columns, Limits.columns)
    }

    /// The lines for a new document.
    mutating func lines(_ document: StatusDocument) -> [Line] {
        var paper = Paper(columns: columns, glyphs: glyphs)
        paper.flow(items(document), gap: 2, hanging: 10)
        if isSilent { paper.paragraph([.init("lkpush answers again.")], indent: 2, hanging: 2) }
        isSilent = false
        let health = document.health
        if health.obstacles != obstacles, !health.isReady {
            paper.paragraph(
                [.init("not ready: \(health.obstacles.joined(separator: "; "))")], indent: 2, hanging: 4)
        }
        obstacles = health.isReady ? [] : health.obstacles
        let marks = health.problems.map(Mark.init)
        for (mark, problem) in zip(marks, health.problems) where !self.marks.contains(mark) {
            TopPicture.draw(problem, at: document.now, &paper)
        }
        let isOver = self.marks.contains { old in !marks.contains { $0.name == old.name && $0.subject == old.subject } }
        if isOver {
            let left = marks.isEmpty ? "all problems are over" : "a problem is over; left: " + Self.names(marks)
            paper.paragraph([.init(left)], indent: 2, hanging: 4)
        }
        self.marks = marks
        return paper.lines
    }

    /// The lines for an answer that did not come.
    mutating func lines(_ failure: TopPicture.Failure, at now: Timestamp) -> [Line] {
        isSilent = true
        var paper = Paper(columns: columns, glyphs: glyphs)
        paper.flow([[.init(Figures.clock(now))], [.init("no answer: \(failure.reason)")]], gap: 2, hanging: 10)
        paper.paragraph([.init("Do: \(failure.action)")], indent: 2, hanging: 4)
        return paper.lines
    }

    private static func names(_ marks: [Mark]) -> String {
        marks.map { $0.subject.isEmpty ? $0.name : "\($0.name) \($0.subject)" }.joined(separator: ", ")
    }

    private func items(_ document: StatusDocument) -> [Paper.Item] {
        let intake = document.intake
        var texts = [Figures.clock(document.now), document.health.state.rawValue]
        if !document.health.problems.isEmpty { texts.append(TopPicture.problems(document.health.problems.count)) }
        texts += [
            Figures.rate(intake.eventsPerSecond), "lag \(intake.lag.map { Figures.time($0) } ?? "-")",
            "queue \(Figures.count(intake.queue))", "rejected \(Figures.count(intake.rejected))",
        ]
        if let replicas = document.replicas { texts.append(TopPicture.summary(replicas)) }
        // A standby counts nothing.
        if !document.isStandby {
            texts += [
                Figures.count(document.organizations.total, "organization", "organizations"),
                Figures.count(document.recorder.rooms, "room", "rooms"),
                Figures.count(document.recorder.participants, "person", "people"),
            ]
        }
        if let usage = document.usage {
            texts.append("\(Figures.decimal(usage.connection_minutes)) min connected today")
            if usage.agentsPending > 0 {
                texts.append(Figures.count(usage.agentsPending, "job waits", "jobs wait") + " for agents")
            }
        }
        for one in document.destinations {
            let answer = one.lastAnswer.map { $0.status > 0 ? " \($0.status)" : " no answer" } ?? ""
            let pushed = one.lastSuccess.map { "pushed \(Figures.ago($0, document.now))" } ?? "nothing pushed yet"
            texts.append(
                "\(one.name): \(one.state.rawValue)\(answer), \(pushed), backlog \(Figures.count(one.pending))")
        }
        if !document.isStandby {
            let database = document.database.isUp ? "database up" : "database down"
            texts.append("\(database), \(Figures.count(document.database.rowsWaiting, "row waits", "rows wait"))")
        }
        if let polls = document.reconciliation {
            let state = polls.failures > 0 ? "fails" : polls.differs ? "differs" : "agrees"
            let asked = polls.lastSuccess.map { "answered \(Figures.ago($0, document.now))" } ?? "not asked yet"
            texts.append(
                polls.lastSuccess == nil && polls.failures == 0
                    ? "LiveKit API \(asked)" : "LiveKit API \(state), \(asked)")
        }
        if let free = document.journal?.diskFree_bytes { texts.append("disk \(Figures.size(free)) free") }
        texts.append("memory \(Figures.size(document.program.resident_bytes))")
        return texts.map { [.init($0)] }
    }
}
