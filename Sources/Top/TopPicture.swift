import Status
import Wire

/// The picture of a running lkpush: what is on the screen, from what was answered and which keys were pressed.
///
/// It is pure: times and sizes are parameters. What is wrong comes first and is never cut: lines that are too long go
/// on in the next, and what does not fit on the screen scrolls.
struct TopPicture: Sendable {
    /// The size of a terminal.
    struct Size: Sendable, Equatable {
        var rows: Int
        var columns: Int
    }

    /// The reason why there is no new document.
    struct Failure: Sendable, Equatable {
        var reason: String
        var action: String
    }

    /// What the program does after a key.
    enum Effect: Sendable, Equatable { case nothing, draw, ask, end }

    /// The lines of a screen.
    struct Frame: Sendable, Equatable {
        var lines: [Line]
    }

    /// The address of lkpush, without what is secret in it.
    let address: String
    /// Lines that the user wants to see too.
    let notes: [String]
    let glyphs: Glyphs

    private(set) var document: StatusDocument?
    /// The one before, for what has grown.
    private(set) var previous: StatusDocument?
    /// Nil while lkpush answers.
    private(set) var failure: Failure?
    private(set) var failingSince = Timestamp.absent
    private var first = 0
    private var showsKeys = false
    /// The rows of the last frame, and the most lines that can be above it.
    private var shownRows = 24
    private var last = 0

    init(address: String, notes: [String] = [], glyphs: Glyphs) {
        self.address = address
        self.notes = notes
        self.glyphs = glyphs
    }

    // MARK: News

    mutating func take(_ document: StatusDocument) {
        // Another process has other counts.
        let isSame = self.document?.program.started == document.program.started
        previous = isSame ? self.document : nil
        self.document = document
        failure = nil
    }

    mutating func take(_ failure: Failure, at now: Timestamp) {
        if self.failure == nil { failingSince = now }
        self.failure = failure
    }

    mutating func press(_ key: Key) -> Effect {
        switch key {
        case .end: return .end
        case .refresh: return .ask
        case .keys: return toggle(!showsKeys)
        case .leave: return toggle(false)
        case .line(let step): return scroll(to: first + step)
        case .page(let step): return scroll(to: first + step * max(1, shownRows - 2))
        case .first: return scroll(to: 0)
        case .last: return scroll(to: last)
        }
    }

    private mutating func toggle(_ showsKeys: Bool) -> Effect {
        guard self.showsKeys != showsKeys else { return .nothing }
        self.showsKeys = showsKeys
        first = 0
        return .draw
    }

    private mutating func scroll(to line: Int) -> Effect {
        let line = min(max(0, line), last)
        guard line != first else { return .nothing }
        first = line
        return .draw
    }

    // MARK: Drawing

    /// The lines of a screen of this size, at most as many as it has rows.
    mutating func frame(_ size: Size, at now: Timestamp) -> Frame {
        let lines = showsKeys ? keys(columns: size.columns) : page(columns: size.columns, at: now)
        let hasBar = size.rows >= 4
        let room = max(1, size.rows - (hasBar ? 1 : 0))
        shownRows = room
        last = max(0, lines.count - room)
        first = min(first, last)
        var shown = Array(lines[first..<min(lines.count, first + room)])
        if hasBar {
            while shown.count < room { shown.append(Line()) }
            shown.append(bar(size.columns, lines.count, room))
        }
        return Frame(lines: shown)
    }

    /// Everything that there is to say, the most important first.
    func page(columns: Int, at now: Timestamp) -> [Line] {
        var paper = Paper(columns: columns, glyphs: glyphs)
        title(&paper, at: now)
        if let failure { silence(failure, &paper, at: now) }
        if let document {
            health(document, &paper)
            problems(document, &paper)
        }
        if !notes.isEmpty {
            paper.gap()
            for note in notes { paper.paragraph([.init(note)], indent: 1, hanging: 3) }
        }
        if let document { sections(document, &paper) }
        return paper.lines
    }

    private func title(_ paper: inout Paper, at now: Timestamp) {
        guard let document else {
            paper.flow([[.init("lkpush top", .strong)], [.init(address)]], gap: 2, indent: 1, hanging: 3)
            if failure == nil { paper.paragraph([.init("The first answer is awaited.")], indent: 1, hanging: 3) }
            return
        }
        let program = document.program
        var items: [Paper.Item] = [[.init("lkpush \(program.version)", .strong)]]
        if !program.instance.isEmpty { items.append([.init(program.instance)]) }
        let place = [program.environment, program.region].filter { !$0.isEmpty }.joined(separator: "/")
        if !place.isEmpty { items.append([.init(place)]) }
        items.append([.init("up \(Figures.span(program.started, document.now))")])
        items.append([.init("\(Figures.clock(document.now)) UTC", .faint)])
        paper.flow(items, gap: 2, indent: 1, hanging: 3)
    }

    private func silence(_ failure: Failure, _ paper: inout Paper, at now: Timestamp) {
        let since = "for \(Figures.span(failingSince, now)), since \(Figures.clock(failingSince)) UTC"
        paper.gap()
        paper.flow([[.init("NO ANSWER", .alarm)], [.init(since)]], gap: 2, indent: 1, hanging: 3)
        paper.paragraph([.init(failure.reason)], indent: 3, hanging: 3)
        paper.paragraph([.init("Do: ", .strong), .init(failure.action)], indent: 3, hanging: 3)
        guard let document else { return }
        paper.paragraph(
            [.init("OLD: everything below is as it was at \(Figures.clock(document.now)) UTC.", .caution)], indent: 3,
            hanging: 3)
        paper.gap()
    }

    /// The last line of the screen: the longest that fits.
    private func bar(_ columns: Int, _ count: Int, _ room: Int) -> Line {
        let paper = Paper(columns: columns, glyphs: glyphs)
        let place = "\(first + 1)-\(min(count, first + room)) of \(count)"
        let more = first == last ? "end" : glyphs.isUnicode ? "↓ more" : "more below"
        let state = first > 0 && !showsKeys ? "   \(summary)" : ""
        let keys = showsKeys ? "h back" : "q ends  h keys"
        let texts =
            last > 0
            ? [
                " \(keys)   lines \(place)  \(more)\(state)", " \(keys)  \(place)  \(more)\(state)",
                " \(keys)  \(place)  \(more)", " \(place)  \(more)", " \(place)",
            ] : [" \(keys)"]
        let fitting = texts.first { glyphs.beginning(of: $0, columns: columns).isWhole } ?? ""
        var line = Line()
        line.append(paper.cut(fitting, to: paper.columns), .bar)
        line.pad(to: paper.columns, .bar)
        return line
    }

    /// The most important in a few words, for a screen that is scrolled.
    private var summary: String {
        if failure != nil { return "NO ANSWER" }
        guard let health = document?.health else { return "" }
        let state = health.state.rawValue.uppercased()
        return health.problems.isEmpty ? state : "\(state): \(Self.problems(health.problems.count))"
    }

    private func keys(columns: Int) -> [Line] {
        var paper = Paper(columns: columns, glyphs: glyphs)
        paper.paragraph([.init("Keys", .strong)], indent: 1, hanging: 1)
        let rows = [
            ("q  Ctrl-C", "end"), ("r", "ask lkpush at once"), ("j  k  up  down", "scroll by a line"),
            ("space  b  PgDn  PgUp", "scroll by a screen"), ("g  G  Home  End", "the first, the last line"),
            ("Ctrl-Z", "leave for a while; fg comes back"), ("h  ?", "these keys, and back"),
        ]
        let width = columns >= 50 ? 23 : 0
        for (key, meaning) in rows {
            if width > 0 {
                let padded = key + String(repeating: " ", count: max(1, width - key.count))
                paper.paragraph([.init(meaning)], head: [.init(padded, .strong)], indent: 1, hanging: width + 1)
            } else {
                paper.flow([[.init(key, .strong)], [.init(meaning)]], gap: 2, indent: 1, hanging: 3)
            }
        }
        paper.gap()
        paper.paragraph(
            [.init("What is wrong comes first, with its cause and what to do. Figures follow, then lists.")],
            indent: 1, hanging: 1)
        paper.paragraph([.init("Asked is \(address).")], indent: 1, hanging: 1)
        return paper.lines
    }

    static func problems(_ count: Int) -> String { Figures.count(count, "problem", "problems") }
}
