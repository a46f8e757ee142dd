import Status
import Wire

// What is wrong, and what to do: always complete.

extension TopPicture {
    func health(_ document: StatusDocument, _ paper: inout Paper) {
        let health = document.health
        let (word, style): (String, Style) =
            switch health.state {
            case .healthy: ("HEALTHY", .good)
            case .degraded: ("DEGRADED", .caution)
            case .failing: ("FAILING", .alarm)
            case .unknown: ("STATE UNKNOWN", .caution)
            }
        var items: [Paper.Item] = [[.init(word, style)]]
        if !health.problems.isEmpty {
            items.append([.init(Self.problems(health.problems.count), .strong)])
        } else if health.state == .healthy {
            items.append([.init("nothing to do")])
        }
        if health.isReady { items.append([.init("ready for webhooks")]) }
        items.append([.init(address, .faint)])
        paper.flow(items, indent: 1, hanging: 3)
        if !health.isReady {
            let reasons = health.obstacles.isEmpty ? "" : ": " + health.obstacles.joined(separator: "; ")
            paper.paragraph(
                [.init("NOT READY", .alarm), .init(" webhooks are not taken\(reasons)")], indent: 1, hanging: 3)
        }
    }

    func problems(_ document: StatusDocument, _ paper: inout Paper) {
        for problem in document.health.problems { Self.draw(problem, at: document.now, &paper) }
    }

    /// Draws a problem, for the picture and for plain lines.
    static func draw(_ problem: Problem, at now: Timestamp, _ paper: inout Paper) {
        let (word, style): (String, Style) =
            switch problem.severity {
            case .critical: ("!! CRITICAL", .alarm)
            case .warning: ("! WARNING", .caution)
            case .unknown: ("! PROBLEM", .caution)
            }
        var items: [Paper.Item] = [[.init(word, style)], [.init(problem.name, .strong)]]
        if !problem.subject.isEmpty { items.append([.init(problem.subject, .strong)]) }
        items.append([
            .init("for \(Figures.span(problem.since, now)), since \(Figures.clock(problem.since)) UTC", .faint)
        ])
        paper.gap()
        paper.flow(items, gap: 2, indent: 1, hanging: 4)
        paper.paragraph([.init(problem.what)], indent: 4, hanging: 4)
        if !problem.cost.isEmpty {
            paper.paragraph([.init("Cost: ", .strong), .init(problem.cost)], indent: 4, hanging: 4)
        }
        if !problem.action.isEmpty {
            paper.paragraph([.init("Do: ", .strong), .init(problem.action)], indent: 4, hanging: 4)
        }
        if !problem.alert.isEmpty {
            paper.paragraph([.init("Alert: \(problem.alert)", .faint)], indent: 4, hanging: 4)
        }
    }
}
