import Journal
import Platform
import Recording
import RemoteWrite
import Storage
import Wire

extension JournalWorker {
    /// There is work that only a commit can bring further, and a commit may be tried now.
    var isCommitDue: Bool {
        guard let files else { return !readings.isEmpty || !events.isEmpty }
        if isReplaced { return false }
        if case .failing(let again, _) = health { return time.monotonic() >= again }
        let isSnapshotDue = snapshot != nil && !files.saver.isBusy
        if lacksState { return isSnapshotDue }
        return !events.isEmpty || isTurnDue || isSnapshotDue || !readings.isEmpty
            || !backlog.pending.isEmpty || !commit.deadLetters.isEmpty || truncation != nil || commit.coversLoss
            || commit.lineage != nil || isUsageDue
    }

    /// Commits everything that waits, and lets go what waited for the commit.
    func attempt() {
        guard var files else { return withoutFiles() }
        let begin = time.monotonic()
        do throws(JournalError) {
            if case .failing = health, try reopen(&files) { return }
            var used: Used?
            if lacksState && !canTakeSnapshot(files) {
                try probe(files.journal)
            } else {
                used = try write(to: &files)
            }
            self.files = files
            let end = time.monotonic()
            nextTurn = end + JournalSettings.Limits.turnPace
            if !events.isEmpty { lastGroup = (end, end.since(begin), events.count) }
            metrics.noteCommit(took: end.since(begin), events: events.count)
            if case .failing = health { recovered() }
            if let used { succeeded(used) }
        } catch {
            self.files = files
            if error.kind == .replaced || inbox.isReplaced { giveWay() } else { failed(error) }
        }
    }

    // MARK: Writing

    /// A snapshot can go with this commit. It never goes together with the removal of ids of a snapshot that could not
    /// be used, because the new one may have the same number.
    private func canTakeSnapshot(_ files: ActiveJournal) -> Bool {
        snapshot != nil && !files.saver.isBusy && truncation?.idsAboveSnapshot == nil
    }

    /// Tries whether a new journal can be written. Everything that waits for the state waits on.
    private func probe(_ journal: any StateJournal) throws(JournalError) {
        var probe = Commit()
        probe.truncation = truncation
        probe.readingSent = journal.numbers.lastReading ?? Timestamp(milliseconds: 0)
        try journal.commit(probe)
        truncation = nil
    }

    /// The parts that a commit took with it.
    private struct Used {
        var snapshot: RecorderSnapshot?
        var header: SnapshotHeader?
        /// The number of the backlog's pending rows.
        var spilled = 0
    }

    /// Writes everything that waits in one transaction.
    private func write(to files: inout ActiveJournal) throws(JournalError) -> Used {
        var used = Used()
        let journal = files.journal
        commit.outboxRows.removeAll(keepingCapacity: true)
        commit.ids.removeAll(keepingCapacity: true)
        commit.truncation = truncation
        if let snapshot, canTakeSnapshot(files) {
            let header = files.header(of: snapshot, isExact: settings.durability == .commit, at: time.now())
            used.snapshot = snapshot
            used.header = header
            commit.ids = snapshot.ids.map {
                JournalIDSegment(snapshot: header.number, kind: $0.kind, latest: $0.latest, bytes: $0.bytes)
            }
            if lacksState { moveOn(to: snapshot, journal) }
            // Rows in memory are lost with the process, and a replay from this snapshot would not make them again.
            commit.outboxRows += store.rows(after: backlog.durableUpTo).map { OutboxRow($0) }
        }
        let isComplete = used.snapshot != nil
        let pending = Array(backlog.pending.all.prefix(isComplete ? backlog.pending.count : RowBacklog.Limits.portion))
        used.spilled = pending.count
        commit.outboxRows += pending.map { OutboxRow($0) }
        // It would not make the held rows again either, which wait only for the inputs of this commit.
        if isComplete { commit.outboxRows += held.map { OutboxRow($0) } }
        commit.rowsAppliedUpTo = lastSpilled > forgottenUpTo && appliedUpTo > forgottenUpTo ? appliedUpTo : nil
        if (isComplete || commit.rowsAppliedUpTo != nil) && appliedInput > 0 && !isRenaming {
            commit.inputAppliedUpTo = appliedInput
        }
        readings.fill(&commit)
        commit.seriesEnded += forgotten
        events.entries.renumber(first: max(journal.numbers.lastEvent, commit.truncation?.events ?? 0) + 1)
        commit.inputs.renumber(first: max(journal.numbers.lastInput, commit.truncation?.inputs ?? 0) + 1)
        swap(&commit.events, &events.entries)
        defer { swap(&commit.events, &events.entries) }
        // Something has to be written, to try whether the disk takes anything.
        if commit.isEmpty { commit.readingSent = journal.numbers.lastReading ?? Timestamp(milliseconds: 0) }
        receipt = try journal.commit(commit)
        if let last = commit.outboxRows.last { lastSpilled = max(lastSpilled, last.sequence) }
        if let applied = commit.rowsAppliedUpTo { forgottenUpTo = applied }
        return used
    }

    /// Makes a new journal go on with the numbers of the state that it begins with.
    private func moveOn(to snapshot: RecorderSnapshot, _ journal: any StateJournal) {
        commit.truncation = Truncation(
            events: max(snapshot.events, journal.numbers.lastEvent),
            inputs: max(snapshot.inputs, journal.numbers.lastInput))
    }

    // MARK: After a commit

    private func succeeded(_ used: Used) {
        truncation = nil
        forgotten = []
        if let marks = settings.marks, let journal = files?.journal { marks.note(journal.numbers) }
        answerReadings()
        events.accept(inbox.answers)
        if !events.isEmpty {
            recorder.deliver(Committed(events.events, by: receipt))
            delivered += Int64(events.count)
            events.removeAll()
        }
        backlog.spilled(used.spilled)
        if !commit.deadLetters.isEmpty { publishDeadLetters() }
        if let journal = files?.journal {
            commit.restart(afterEvent: journal.numbers.lastEvent, afterInput: journal.numbers.lastInput)
        }
        finishRenaming()
        release(areOnDisk: used.snapshot != nil)
        if let snapshot = used.snapshot, let header = used.header {
            backlog.memoryIsDurable()
            self.snapshot = nil
            save(snapshot, header)
        }
        if used.spilled > 0 { keepBelowLimit() }
    }

    /// Lets held rows go whose inputs are durable: to memory while there is room, else to disk.
    func release(areOnDisk: Bool = false) {
        if files == nil { commit.restart(afterEvent: 0, afterInput: 0) }
        // After a replacement the inputs before them are dropped, so nothing seems to be open.
        guard !isReplaced, !isTurnOpen, isStartDurable, !lacksState, !held.isEmpty else { return }
        var inMemory = store.rowsInMemory
        var direct: [NumberedRow] = []
        for row in held {
            guard backlog.add(row, inMemory: inMemory, isOnDisk: areOnDisk) else { continue }
            direct.append(row)
            inMemory += 1
        }
        held.removeAll(keepingCapacity: true)
        if !direct.isEmpty { passToStore(direct) }
    }

    /// Lets everything go at once. There is no disk, so what was accepted needs no commit.
    private func withoutFiles() {
        answerReadings()
        events.accept(inbox.answers)
        recorder.deliver(Committed(events.events, by: .withoutJournal))
        events.removeAll()
        release()
    }

    private func answerReadings() {
        readings.settle(.maySend)
        readings.removeAll()
    }

    // MARK: Trouble

    private func failed(_ error: JournalError) {
        metrics.noteFailedCommit()
        let advice = adviceOnWriting(error)
        log.throttled(.error, advice.what, ["error": .text(error), "action": advice.field])
        publish(error, advice)
        if settings.durability == .commit {
            readiness.block(.journal, because: "the journal cannot be written: \(error)")
        }
        var failures = 1
        if case .failing(_, let before) = health { failures = before + 1 }
        let wait = JournalSettings.Limits.backoff.wait(afterFailures: failures, chance: 0)
        health = .failing(again: time.monotonic() + wait, failures: failures)
        refuse()
        // A journal that holds late readings commits them when it can. Another one lets them leave.
        if sendsLateReadings { readings.release() }
        let lost = backlog.giveUpPending()
        if lost > 0 {
            store.noteGivenUp(lost)
            log.throttled(.error, "rows given up: neither database nor disk takes them", ["rows": .int(lost)])
        }
    }

    /// Answers the requests of events that could not be committed. These events are not kept.
    private func refuse() {
        inbox.mail.change { mail in
            mail.takesEvents = false
            events.take(&mail.events)
        }
        events.refuse(.journal_failed, inbox.answers)
        let count = events.count
        events.removeAll()
        if count > 0 { reservations.free(count) }
    }

    private func recovered() {
        log.info("the journal can be written again")
        health = .good
        publishGood(isUp: true)
        guard lacksState else { return beGood() }
        beginAnew()
        if snapshot == nil && files?.saver.isBusy == false { askForSnapshot() }
    }

    /// Notes that the journal can be written, so that events are taken.
    func beGood() {
        metrics.noteUp()
        publishGood(isUp: true)
        publishDeadLetters()
        inbox.mail.change { $0.takesEvents = true }
        readiness.clear(.journal)
    }

    /// Opens the journal again after a failure. True where it is a new one, to which the state has to be saved first.
    private func reopen(_ files: inout ActiveJournal) throws(JournalError) -> Bool {
        let opening = try files.journal.reopen(now: time.now())
        if let applied = commit.eventsApplied, applied <= files.journal.numbers.lastEvent { commit.eventsApplied = nil }
        for note in opening.notes { log.warning("the journal was opened again", ["note": .string(note)]) }
        noteLineage(in: files.journal)
        guard opening.isNew else { return false }
        renameHand(files.journal)
        metrics.noteDamage()
        self.files = files
        health = .good
        beginAnew()
        snapshot = nil
        lastSpilled = 0
        let lost = backlog.nothingIsDurable()
        if lost > 0 {
            store.noteGivenUp(lost)
            log.error("rows for the database went with the journal's file", ["rows": .int(lost)])
        }
        askForSnapshot()
        return true
    }
}
