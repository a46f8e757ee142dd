import Status
import Wire

// The figures: webhooks, journal, database, receivers, rooms, the process.

extension TopPicture {
    private enum Layout {
        /// The width of the names of sections; they stand on the same line where there is room.
        static let names = 14
        static let columns_min = 60
    }

    func sections(_ document: StatusDocument, _ paper: inout Paper) {
        webhooks(document, &paper)
        if let replicas = document.replicas { self.replicas(replicas, document.now, &paper) }
        // The state, the rows and the people are the leader's: a standby would show zeros.
        if !document.isStandby {
            journal(document, &paper)
            database(document, &paper)
        }
        for destination in document.destinations { self.destination(destination, document, &paper) }
        if let polls = document.reconciliation { reconciliation(polls, document.now, &paper) }
        if !document.isStandby { use(document, &paper) }
        if let usage = document.usage { self.usage(usage, &paper) }
        process(document, &paper)
        plots(document, &paper)
        if !document.isStandby { organizations(document.organizations, document.recorder, &paper) }
        refused(document, &paper)
        unknownRooms(document, &paper)
        deadLetters(document, &paper)
        messages(document, &paper)
    }

    /// Adds a section: its name, and items that flow.
    func section(_ name: String, _ items: [Paper.Item], _ paper: inout Paper) {
        if paper.columns >= Layout.columns_min {
            let padded = name + String(repeating: " ", count: max(0, Layout.names - 1 - name.unicodeScalars.count))
            // A long name of a receiver is no name of ours: it stands before its items.
            if name.utf8.count < Layout.names - 1 {
                return paper.flow(items, head: [.init(padded, .strong)], indent: 1, hanging: Layout.names)
            }
        }
        paper.flow([[.init(name, .strong)]] + items, gap: 2, indent: 1, hanging: 3)
    }

    /// Adds text that explains the section above.
    func explanation(_ item: Paper.Item, _ paper: inout Paper) {
        let indent = paper.columns >= Layout.columns_min ? Layout.names : 3
        paper.paragraph(item, indent: indent, hanging: indent)
    }

    /// How much a counter has grown since the document before.
    private func growth(_ now: Int, _ counter: (StatusDocument) -> Int) -> String {
        guard let previous, now > counter(previous) else { return "" }
        return " (+\(Figures.count(now - counter(previous))))"
    }

    // MARK: The way in

    private func webhooks(_ document: StatusDocument, _ paper: inout Paper) {
        let intake = document.intake
        var items: [Paper.Item] = [
            [.init("\(Figures.rate(intake.eventsPerSecond))", .strong)],
            [.init("lag \(intake.lag.map { Figures.time($0) } ?? "-")")],
            [.init("queue \(Figures.count(intake.queue)) of \(Figures.count(intake.queueCapacity))")],
        ]
        if intake.requestsWaiting > 0 {
            items.append([.init("\(Figures.count(intake.requestsWaiting)) wait for room", .caution)])
        }
        items.append([.init(intake.lastEvent.map { "last " + Figures.ago($0, document.now) } ?? "none yet")])
        items.append([.init("\(Figures.count(intake.events)) in all")])
        items.append([.init("\(Figures.count(intake.duplicates)) repeated")])
        items.append([.init(Figures.count(intake.connections, "connection", "connections"))])
        let grown = growth(intake.rejected) { $0.intake.rejected }
        items.append([
            .init("\(Figures.count(intake.rejected)) rejected\(grown)", grown.isEmpty ? .plain : .alarm)
        ])
        paper.gap()
        section("Webhooks", items, &paper)
        let rejections: [Paper.Item] = intake.rejections.map { rejection in
            let detail = rejection.detail.isEmpty ? "" : " (\(rejection.detail))"
            return [
                .init("\(Figures.count(rejection.total)) \(rejection.reason)", .caution),
                .init(", last \(Figures.ago(rejection.last, document.now))\(detail)"),
            ]
        }
        if !rejections.isEmpty { section("  rejected", rejections, &paper) }
    }

    private func journal(_ document: StatusDocument, _ paper: inout Paper) {
        guard let journal = document.journal else {
            return section("Journal", [[.init("its state is not restored yet")]], &paper)
        }
        var items: [Paper.Item] = []
        switch journal.isUp {
        case true?: items.append([.init("writable", .good)])
        case false?: items.append([.init("CANNOT BE WRITTEN", .alarm)])
        case nil: items.append([.init("none")])
        }
        items.append([.init("durability \(journal.durability)")])
        if let commit = journal.commit { items.append([.init("commit \(Figures.time(commit))")]) }
        items.append([.init("\(Figures.size(journal.size_bytes)) of \(Figures.size(journal.max_bytes))")])
        if let snapshot = journal.snapshot { items.append([.init("snapshot \(Figures.ago(snapshot, document.now))")]) }
        if let free = journal.diskFree_bytes {
            let size = journal.diskSize_bytes.map { " of \(Figures.size($0))" } ?? ""
            items.append([.init("disk \(Figures.size(free))\(size) free", free == 0 ? .alarm : .plain)])
        }
        if !journal.directory.isEmpty { items.append([.init(journal.directory, .faint)]) }
        section("Journal", items, &paper)
        if !journal.error.isEmpty { explanation([.init(journal.error, .alarm)], &paper) }
    }

    private func database(_ document: StatusDocument, _ paper: inout Paper) {
        let database = document.database
        var items: [Paper.Item] = [[.init(database.engine)]]
        items.append(database.isUp ? [.init("up", .good)] : [.init("DOWN", .alarm)])
        items.append([
            .init(
                Figures.count(database.rowsWaiting, "row waits", "rows wait"),
                database.rowsWaiting > 0 ? .strong : .plain)
        ])
        items.append([.init("\(Figures.count(database.rowsWritten)) written")])
        if database.rowsLost > 0 { items.append([.init("\(Figures.count(database.rowsLost)) lost", .alarm)]) }
        if database.errors > 0 { items.append([.init(Figures.count(database.errors, "error", "errors"))]) }
        if database.deadLetters > 0 {
            items.append([.init("\(Figures.count(database.deadLetters)) refused by the database", .caution)])
        }
        // The address matters when nothing is there.
        if !database.url.isEmpty, !database.isUp { items.append([.init(database.url, .faint)]) }
        section("Database", items, &paper)
        guard !database.error.isEmpty || !database.failing.isEmpty else { return }
        let operations = database.failing.isEmpty ? "" : database.failing.joined(separator: ", ") + ": "
        let since = database.since.map { ", for \(Figures.span($0, document.now))" } ?? ""
        explanation([.init("fails: ", .alarm), .init("\(operations)\(database.error)\(since)")], &paper)
    }

    private func reconciliation(_ polls: ReconciliationStatus, _ now: Timestamp, _ paper: inout Paper) {
        var items: [Paper.Item] = []
        if polls.failures > 0 {
            items.append([.init("fails", .caution)])
        } else if polls.lastSuccess == nil {
            items.append([.init("not asked yet")])
        } else if polls.differs {
            let since = polls.differsSince.map { " for \(Figures.span($0, now))" } ?? ""
            items.append([.init("differs\(since)", .caution)])
        } else {
            items.append([.init("agrees", .good)])
        }
        if let last = polls.lastSuccess { items.append([.init("answered \(Figures.ago(last, now))")]) }
        if polls.failures > 0 { items.append([.init(Figures.count(polls.failures, "failure", "failures"), .caution)]) }
        for entity in polls.entities {
            let counts = [(entity.missing, "missing"), (entity.extra, "extra")].filter { $0.0 > 0 }
                .map { "\(Figures.count($0.0)) \($0.1)" }
            if !counts.isEmpty { items.append([.init("\(entity.entity): \(counts.joined(separator: ", "))", .strong)]) }
        }
        for entity in polls.entities where entity.ghosts > 0 {
            items.append([.init("\(entity.entity): \(Figures.count(entity.ghosts, "ghost", "ghosts"))")])
        }
        if !polls.doubt.isEmpty { items.append([.init("its lists are doubted: \(polls.doubt)", .caution)]) }
        if polls.failures > 0 { items.append([.init(polls.url, .faint)]) }
        section("LiveKit API", items, &paper)
        guard polls.failures > 0 else { return }
        if !polls.cause.isEmpty { explanation([.init(polls.cause, .caution)], &paper) }
        if !polls.action.isEmpty { explanation([.init("Do: \(polls.action)")], &paper) }
    }

    // MARK: The way out

    private func destination(_ one: DestinationStatus, _ document: StatusDocument, _ paper: inout Paper) {
        let now = document.now
        let style: Style =
            switch one.state {
            case .accepting: .good
            case .starting: .plain
            case .unknown, .unanswered, .retrying: .caution
            case .held, .refusing: .alarm
            }
        var items: [Paper.Item] = [
            [.init(style == .alarm ? one.state.rawValue.uppercased() : one.state.rawValue, style)]
        ]
        if let answer = one.lastAnswer {
            let text = answer.text.isEmpty ? "" : " \(answer.text)"
            let code = answer.status > 0 ? "answer \(answer.status)" : "no answer:"
            items.append([.init("\(code)\(text)"), .init(", \(Figures.ago(answer.at, now))", .faint)])
        }
        if let since = one.waitingSince { items.append([.init("a request waits for \(Figures.span(since, now))")]) }
        items.append([.init(one.lastSuccess.map { "pushed \(Figures.ago($0, now))" } ?? "nothing pushed yet")])
        if let rate = one.samplesPerSecond { items.append([.init("\(Figures.decimal(rate)) samples/s")]) }
        var backlog = "backlog \(Figures.count(one.pending))"
        if one.pending > 0 { backlog += ", oldest \(Figures.time(one.oldestPending))" }
        items.append([.init(backlog, one.pending > 0 && style != .good ? .strong : .plain)])
        if one.failures > 0 { items.append([.init(Figures.count(one.failures, "failure", "failures"), .caution)]) }
        if one.backoff > 0 { items.append([.init("again in \(Figures.time(one.backoff))")]) }
        for (count, word) in [
            (one.rejected, "rejected"), (one.dropped, "dropped"), (one.ambiguous, "perhaps stored twice"),
        ] where count > 0 {
            items.append([.init("\(Figures.count(count)) \(word)", .alarm)])
        }
        if let spool = one.spool { items.append(self.spool(spool, now)) }
        items.append([.init(one.url, .faint)])
        section("-> \(one.name)", items, &paper)
        // The problem has the cause too; here it is beside its figures.
        if !one.cause.isEmpty, style != .good { explanation([.init(one.cause, style)], &paper) }
    }

    private func spool(_ spool: SpoolStatus, _ now: Timestamp) -> Paper.Item {
        var text = "spool \(Figures.size(spool.size_bytes)) of \(Figures.size(spool.max_bytes))"
        if spool.samples > 0 { text += ", \(Figures.count(spool.samples, "sample", "samples"))" }
        if let oldest = spool.oldest { text += ", oldest \(Figures.span(oldest, now))" }
        if let lasts = spool.lasts { text += ", lasts \(Figures.time(lasts))" }
        return [.init(text)] + (spool.isReserveReached ? [.init(", NO ROOM TO SPARE", .alarm)] : [])
    }

    // MARK: Use and process

    private func use(_ document: StatusDocument, _ paper: inout Paper) {
        let recorder = document.recorder
        var items: [Paper.Item] = [
            [.init(Figures.count(recorder.rooms, "room", "rooms"), .strong)],
            [.init(Figures.count(recorder.participants, "person", "people"), .strong)],
            [.init(Figures.count(recorder.tracks, "track", "tracks"))],
            [.init(Figures.count(recorder.egresses, "recording", "recordings"))],
            [.init(Figures.count(recorder.ingresses, "import", "imports"))],
        ]
        if recorder.waitingEvents > 0 {
            items.append([
                .init("\(Figures.count(recorder.waitingEvents)) events wait for their organization", .caution)
            ])
        }
        if recorder.lookupFailures > 0 {
            items.append([
                .init("\(Figures.count(recorder.lookupFailures)) events without an organization so far", .caution)
            ])
        }
        section("Now", items, &paper)
    }

    private func usage(_ usage: UsageStatus, _ paper: inout Paper) {
        var items: [Paper.Item] = usage.connections.filter { $0.active > 0 }.map {
            [.init("\(Figures.count($0.active)) \($0.kind)", .strong)]
        }
        if items.isEmpty { items.append([.init("nobody is connected")]) }
        if usage.agentsRunning > 0 || usage.agentsPending > 0 {
            items.append([.init(Figures.count(usage.agentsRunning, "agent works", "agents work"))])
        }
        if usage.agentsPending > 0 {
            items.append([.init(Figures.count(usage.agentsPending, "job waits", "jobs wait"), .caution)])
        }
        if usage.calls > 0 { items.append([.init(Figures.count(usage.calls, "call", "calls"))]) }
        items.append([.init("\(Figures.decimal(usage.connection_minutes)) min today")])
        if usage.ahead_seconds >= 1 { items.append([.init("ahead \(Figures.time(usage.ahead_seconds))")]) }
        if usage.rowsWaiting > 0 { items.append([.init(Figures.count(usage.rowsWaiting, "row waits", "rows wait"))]) }
        if usage.isTableWithheld { items.append([.init("ITS TABLE CANNOT BE USED", .caution)]) }
        if usage.rowsLost > 0 { items.append([.init("\(Figures.count(usage.rowsLost)) rows lost", .alarm)]) }
        section("Usage", items, &paper)
    }

    private func process(_ document: StatusDocument, _ paper: inout Paper) {
        let program = document.program
        var items: [Paper.Item] = [
            [.init("cpu \(program.cpu.map { Figures.percent($0) } ?? "-")")],
            [.init("memory \(Figures.size(program.resident_bytes))")],
            [.init("files \(Figures.count(program.openFiles)) of \(Figures.count(program.maxFiles))")],
            [.init("series \(Figures.count(program.series)) of \(Figures.count(program.maxSeries))")],
        ]
        if program.seriesRefused > 0 {
            items.append([.init("\(Figures.count(program.seriesRefused)) series refused", .alarm)])
        }
        items.append([.init("log \(program.logLevel)")])
        if program.logLinesDropped > 0 {
            items.append([.init("\(Figures.count(program.logLinesDropped)) log lines dropped", .caution)])
        }
        for clock in program.clocks where clock.ahead.magnitude >= 1 {
            let way = clock.ahead > 0 ? "ahead of" : "behind"
            items.append([
                .init("clock \(Figures.time(clock.ahead.magnitude)) \(way) \(clock.peer)", .caution)
            ])
        }
        section("Process", items, &paper)
    }
}
