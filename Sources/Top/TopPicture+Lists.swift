import Status
import Wire

// Plots, the table of organizations, and lists of what happened last.

extension TopPicture {
    // MARK: Plots

    func plots(_ document: StatusDocument, _ paper: inout Paper) {
        var plots = document.history.plots.map { (Figures.title(of: $0.name), $0) }
        for destination in document.destinations {
            // The end of a long title is cut.
            let name = document.destinations.count > 1 ? "\(destination.name): " : ""
            plots += destination.plots.map { ("\(name)\(Figures.title(of: $0.name))", $0) }
        }
        // A figure that was 0 all the time says nothing.
        plots = plots.filter { Sparkline.most($0.1.points) ?? 0 > 0 }
        guard !plots.isEmpty, paper.columns >= 30 else { return }
        paper.gap()
        let minutes = document.history.step * Double(document.history.plots.map(\.points.count).max() ?? 0) / 60
        paper.paragraph(
            [.init("Last \(Figures.decimal(minutes)) min, and the highest", .strong)], indent: 1, hanging: 1)
        let across = paper.columns >= 150 ? 3 : paper.columns >= 76 ? 2 : 1
        let width = (paper.columns - 1) / across
        for start in stride(from: 0, to: plots.count, by: across) {
            var line = Line()
            for (place, plot) in plots[start..<min(plots.count, start + across)].enumerated() {
                line.pad(to: 1 + place * width)
                draw(plot.0, plot.1, from: line.width, to: 1 + (place + 1) * width - (across > 1 ? 2 : 0), &line, paper)
            }
            paper.add(line)
        }
    }

    private func draw(_ title: String, _ plot: Plot, from start: Int, to end: Int, _ line: inout Line, _ paper: Paper) {
        let width = end - start
        let titleWidth = min(22, max(14, width / 4), width / 2)
        let peak = Figures.value(Sparkline.most(plot.points) ?? 0, of: plot.name)
        let barsWidth = max(0, width - titleWidth - 1 - 11)
        line.append(paper.cut(title, to: titleWidth), .plain)
        line.pad(to: start + titleWidth + 1)
        let bars = Sparkline.text(plot.points, columns: barsWidth, isUnicode: glyphs.isUnicode)
        line.append(glyphs.cells(bars), .good)
        line.pad(to: start + titleWidth + 1 + barsWidth + 1)
        line.append(paper.cut(peak, to: max(0, end - line.width)), .plain)
    }

    // MARK: Organizations

    private static let headings: [(title: String, width: Int)] = [
        ("people", 8), ("rooms", 7), ("tracks", 8), ("recordings", 12), ("imports", 9),
    ]

    func organizations(_ organizations: OrganizationsStatus, _ recorder: RecorderStatus, _ paper: inout Paper) {
        guard organizations.total > 0 || !organizations.list.isEmpty else { return }
        // A narrow screen has room for the first columns only.
        let shown = paper.columns >= 70 ? 5 : paper.columns >= 46 ? 3 : paper.columns >= 30 ? 2 : 1
        paper.gap()
        let head = row(Self.headings.map(\.title), shown, "organization", .strong, paper)
        paper.add(head)
        let all = [recorder.participants, recorder.rooms, recorder.tracks, recorder.egresses, recorder.ingresses]
        paper.add(
            row(all.map(Figures.count), shown, "all \(Figures.count(organizations.total))", .strong, paper))
        for one in organizations.list.sorted(by: Self.isLarger) {
            let counts = [one.participants, one.rooms, one.tracks, one.egresses, one.ingresses]
            let name = one.name.isEmpty || one.name == one.id ? one.id : "\(one.name)  \(one.id)"
            paper.add(row(counts.map(Figures.count), shown, name, .plain, paper))
        }
        if organizations.omitted > 0 {
            paper.paragraph(
                [.init("and \(Figures.count(organizations.omitted)) more, which are smaller", .faint)], indent: 1,
                hanging: 3)
        }
    }

    private func row(_ counts: [String], _ shown: Int, _ name: String, _ style: Style, _ paper: Paper) -> Line {
        var line = Line()
        for (count, heading) in zip(counts, Self.headings).prefix(shown) {
            let width = min(paper.columns - line.width, max(heading.width, count.utf8.count + 1))
            let cells = paper.cut(count, to: width)
            line.pad(to: line.width + width - cells.count, style)
            line.append(cells, style)
        }
        line.pad(to: min(paper.columns, line.width + 2), style)
        line.append(paper.cut(name, to: paper.columns - line.width), style)
        return line
    }

    private static func isLarger(_ one: OrganizationStatus, _ other: OrganizationStatus) -> Bool {
        (other.participants, other.rooms, one.id) < (one.participants, one.rooms, other.id)
    }

    // MARK: What happened last

    /// Adds a list under a heading: each entry with a cause and what to do.
    private func list(
        _ heading: String, _ entries: [(head: Paper.Item, what: String, action: String)], _ paper: inout Paper
    ) {
        guard !entries.isEmpty else { return }
        paper.gap()
        paper.paragraph([.init(heading, .strong)], indent: 1, hanging: 1)
        for entry in entries {
            paper.paragraph(entry.head, indent: 1, hanging: 4)
            if !entry.what.isEmpty { paper.paragraph([.init(entry.what)], indent: 4, hanging: 4) }
            if !entry.action.isEmpty {
                paper.paragraph([.init("Do: ", .strong), .init(entry.action)], indent: 4, hanging: 4)
            }
        }
    }

    func refused(_ document: StatusDocument, _ paper: inout Paper) {
        list(
            "Rejected requests",
            document.intake.rejections.map { one in
                (
                    [
                        .init("\(Figures.count(one.total)) \(one.reason)", .caution),
                        .init(" last \(Figures.ago(one.last, document.now))"),
                    ], one.what, one.action
                )
            }, &paper)
    }

    func unknownRooms(_ document: StatusDocument, _ paper: inout Paper) {
        list(
            "Rooms without an organization",
            document.recorder.unknownRooms.map { one in
                (
                    [
                        .init(one.room, .caution),
                        .init(" \(one.reason), last \(Figures.ago(one.at, document.now))"),
                    ], one.what, one.action
                )
            }, &paper)
        if document.recorder.unknownRoomsOmitted > 0 {
            paper.paragraph(
                [.init("and \(Figures.count(document.recorder.unknownRoomsOmitted)) more in the last hour", .faint)],
                indent: 1, hanging: 4)
        }
    }

    func deadLetters(_ document: StatusDocument, _ paper: inout Paper) {
        list(
            "Rows that the database refused",
            document.database.lastDeadLetters.map { one in
                ([.init("\(one.table), \(Figures.ago(one.at, document.now))", .caution)], one.reason, "")
            }, &paper)
    }

    func messages(_ document: StatusDocument, _ paper: inout Paper) {
        list(
            "Last warnings and errors of the log",
            document.messages.map { one in
                let hidden = one.hidden > 0 ? " (and \(Figures.count(one.hidden)) before it)" : ""
                return (
                    [
                        .init(one.level, one.level == "error" ? .alarm : .caution),
                        .init(" \(Figures.ago(one.at, document.now)): \(one.message)\(hidden)"),
                    ], one.fields, ""
                )
            }, &paper)
    }
}
