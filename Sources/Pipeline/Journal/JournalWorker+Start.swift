import Journal
import Platform
import Recording
import RemoteWrite
import Storage
import Synchronization
import Wire

// The start: waits for the state folder, restores the state, replays the journal.

extension JournalWorker {
    /// Returns the state that the recorder begins with; nil where a stop came first.
    func begin() -> RecorderStart? {
        guard let openJournal = settings.open else { return beginWithoutFiles() }
        while !inbox.isStartCancelled {
            lookAtDiskIfDue()
            do {
                if let files = try open(openJournal) {
                    self.files = files
                    // The folder may not have been there before.
                    lookAtDisk()
                    return try restore()
                }
            } catch {
                files?.saver.stop()
                if (error as? JournalError)?.kind == .replaced {
                    files?.close()
                    files = nil
                    giveWay()
                    return nil
                }
                // A file too large to be checked as a whole shows its damage when it is read.
                let isDamaged = (error as? JournalError)?.kind == .damaged
                if isDamaged, let note = try? files?.journal.reopen(now: time.now()).notes.first {
                    log.warning("the journal was damaged", ["note": .string(note)])
                }
                files?.close()
                files = nil
                metrics.noteDown()
                let advice = adviceOnReading(error)
                log.throttled(.error, advice.what, ["error": .string("\(error)"), "action": advice.field])
                publish(error, advice)
                if settings.durability == .memory { return beginWithoutFiles() }
                // Nobody reads it in a shared journal: what keeps webhooks out there is said by who appends them.
                readiness.block(.journal, because: "STATE_DIR cannot be used: \(error)")
            }
            inbox.waitForCancellation(until: time.monotonic() + JournalSettings.Limits.lockPace)
        }
        return nil
    }

    private func beginWithoutFiles() -> RecorderStart {
        if settings.open != nil {
            log.warning("STATE_DIR cannot be used: what is known is lost with this process")
            inbox.published.withLock { $0.condition.isUp = nil }
        } else {
            publishGood(isUp: nil)
        }
        metrics.noteAbsent()
        readiness.clear(.state)
        readiness.clear(.journal)
        return RecorderStart(recorder: makeRecorder())
    }

    /// Makes an empty recorder. Nothing is left of an attempt before.
    private func makeRecorder() -> Recorder {
        defer { hasBegun = true }
        return hasBegun ? restoration.emptied() : restoration.fresh()
    }

    /// Opens the journal; nil where another process has it.
    private func open(_ openJournal: OpenJournal) throws(JournalError) -> ActiveJournal? {
        let journal: any StateJournal
        switch try openJournal(time.now()) {
        case .opened(let opened): journal = opened
        case .held(let holder, let lock):
            readiness.block(.state, because: "STATE_DIR/lock is held by \(holder)")
            log.throttled(
                .warning, "another process has STATE_DIR: waiting for it",
                ["lock": .string(lock), "holder": .string(holder)])
            return nil
        }
        readiness.block(.state, because: "the state is being restored")
        let saver = SnapshotThread(journal.snapshotWriter, time: time) { [inbox] in inbox.note($0) }
        for note in journal.opening.notes { log.warning("the journal was damaged", ["note": .string(note)]) }
        metrics.noteDamage(journal.opening.movedAside.count)
        receipt = journal.opening.receipt
        inbox.mail.withLock { $0.lateReadings = journal.sendsLateReadings ? .maySend : .withhold }
        return ActiveJournal(journal: journal, saver: saver)
    }

    // MARK: Restoring

    private func restore() throws -> RecorderStart? {
        guard var files else { return nil }
        let begin = time.monotonic()
        let journal = files.journal
        var start = RecorderStart(recorder: makeRecorder())
        var isExact = !journal.opening.mayHaveLost
        let found = try restoreSnapshot(files, isExact: &isExact, into: &start)
        if let header = found.header { _ = files.note(header) }
        files.lastNumber = found.highestNumber
        start.isFresh = found.header == nil && journal.numbers.lastEvent == 0
        lineage = RowLineage(text: journal.numbers.lineage) ?? found.lineage ?? RowLineage(name: journal.numbers.id)
        findOrdinals(of: &start, found, journal, isExact: &isExact)

        var rows = ReplayedRows(first: start.rows + 1, canSpill: isExact)
        var hasNewerRules = false
        let setAside = try findSetAside(journal, after: start.events)
        guard try replay(journal, without: setAside, into: &start, &rows, isExact: &isExact, &hasNewerRules) else {
            return nil
        }
        start.rows = rows.last
        if !isExact {
            // A total lower than the one that was pushed would count as a restart, and its whole value would be added.
            start.recorder.startTotalsAtZero()
            start.recorder.doubtEnds()
            log.error("a part of the state was lost: counters begin at zero")
            moveOrdinals(of: &start)
        } else if hasNewerRules {
            start.recorder.startTotalsAtZero()
            log.warning(
                """
                the journal ends with what a newer lkpush accepted, under rules that this one does not know: counters \
                begin at zero, which rate() takes for a restart; rooms, people and rows go on. To keep counters, let the \
                newer one stop in order before going back to this one
                """)
        }
        start.recorder.startOwnTotalsAtZero()
        start.recorder.rebuildSessions()
        // All of it is on disk, so it is at least what was seen before. The first reading has it.
        start.recorder.takeUsageReading().publish()
        delivered = start.events
        start.needsSnapshot =
            !isExact || hasNewerRules || journal.opening.isNew || settings.durability == .memory && !start.isFresh
        start.shipped = try restoreShipped(journal)
        self.files = files
        publishDeadLetters()
        if settings.durability == .memory { noteUnjournaled(journal, after: files.lastNumber) }
        // A journal for which a snapshot exists is not new, though nothing else may be in it yet.
        let isNew = journal.opening.isNew && found.header?.journalID != journal.numbers.id
        beginLineage(after: start.ordinalBase + start.events + start.inputs, journal)
        try restoreRows(rows, &start, journal, isExact: isExact)
        ordinalBase = start.ordinalBase
        start.keepsState = true
        start.keepsInputs = settings.durability == .commit
        start.isLogShared = journal.isShared
        eventOfSnapshot = start.events
        // Events that are not journaled die with their process.
        if start.keepsInputs { (start.hand, start.setAside) = (hand, setAside.neverApplied) }
        nextSnapshot = time.monotonic() + settings.snapshotInterval
        if start.needsSnapshot { recorder.requestSnapshot(isForced: true, withAllIDs: isNew) }
        if isNew && !start.isFresh { beginAnew() } else { beGood() }
        readiness.clear(.state)
        log.info(
            "the state is restored",
            [
                "events": .int(Int(start.events)),
                "replayed": .int(Int(start.events - (found.header?.eventsApplied ?? 0))),
                "took_ms": .milliseconds(time.monotonic().since(begin)),
            ])
        return start
    }

    /// Restores what was sent to each destination. What was sent to others is forgotten with the next commit.
    private func restoreShipped(_ journal: any StateJournal) throws -> ShippedStates {
        var series: [ShippedSeries] = []
        forgotten = []
        for bytes in try journal.shipped().elements {
            // A series that cannot be read ends by itself, five minutes after its last sample.
            guard let one = try? ShippedSeries(bytes: bytes) else { continue }
            if settings.destinations.contains(one.destination) {
                series.append(one)
            } else {
                forgotten.append(bytes)
            }
        }
        return ShippedStates(
            lastReading: journal.numbers.lastReading, labels: journal.numbers.pushedLabels, series: series)
    }

    /// Notes that events are not journaled from now on. So the snapshot of a clean stop is not the whole truth any
    /// more.
    private func noteUnjournaled(_ journal: any StateJournal, after number: Int64) {
        var note = Commit()
        note.unjournaledAfter = number
        do throws(JournalError) {
            try journal.commit(note)
        } catch {
            let advice = JournalAdvice.unwritable(error, settings.durability)
            log.error(
                "the journal cannot be written: a crash would make counters go back",
                ["error": .text(error), "action": advice.field])
        }
    }

    /// The result of restoring a snapshot.
    struct Found {
        /// The header of the snapshot that was restored; nil where there was none.
        var header: SnapshotHeader?
        /// The lineage in the snapshot; nil where the snapshot does not name its rows.
        var lineage: RowLineage?
        var highestNumber: Int64 = 0
    }

    /// Restores the newest snapshot that can be read.
    private func restoreSnapshot(
        _ files: ActiveJournal, isExact: inout Bool, into start: inout RecorderStart
    ) throws -> Found {
        let journal = files.journal
        var found = Found()
        while true {
            let loaded = try files.journal.loadSnapshots(now: time.now())
            for note in loaded.notes { log.error("a snapshot was set aside", ["note": .string(note)]) }
            metrics.noteDamage(loaded.damaged.count + loaded.ofNewerProgram.count)
            found.highestNumber = max(found.highestNumber, loaded.highestNumber)
            guard let snapshot = loaded.newest else {
                // Without a snapshot the journal has to hold everything from the first entry on.
                if journal.numbers.eventsBase > 0 || journal.numbers.inputsBase > 0
                    || journal.numbers.unjournaledAfter != nil
                {
                    isExact = false
                }
                return found
            }
            let header = snapshot.header
            var ids: [IDSegment] = []
            let damaged = try journal.forEachSegment { segment in
                guard segment.snapshot <= header.number else { return }
                ids.append(
                    IDSegment(kind: segment.kind, latest: segment.latest, bytes: segment.bytes))
            }
            let isWhole = isExact && damaged == 0
            switch restored(snapshot, ids, journal, isWhole: isWhole) {
            case .success(let restored):
                start.recorder = restored.recorder
                (start.events, start.inputs) = (header.eventsApplied, header.inputsApplied)
                start.rows = header.rowsEmitted
                start.ordinalBase = restored.saved.ordinalBase
                isExact = restored.isExact
                // The ids of a newer snapshot, which cannot be used, come again with the events after this one.
                var truncation = Truncation()
                truncation.idsAboveSnapshot = header.number
                self.truncation = truncation
                found.header = header
                let origin = restored.saved.rowOrigin
                found.lineage =
                    RowLineage(text: restored.saved.lineage) ?? (origin.isEmpty ? nil : RowLineage(name: origin))
                return found
            case .failure(let fault):
                metrics.noteDamage()
                log.error("a snapshot cannot be restored", ["reason": .text(fault)])
                start.recorder = restoration.emptied()
                try files.journal.moveAsideSnapshot(header.number, now: time.now())
            }
        }
    }

    private struct Restored {
        let recorder: Recorder
        let saved: SnapshotBody.Content
        let isExact: Bool
    }

    private func restored(
        _ snapshot: Snapshot, _ ids: [IDSegment], _ journal: any StateJournal, isWhole: Bool
    ) -> Result<Restored, MessageFault> {
        do throws(MessageFault) {
            let saved = try SnapshotBody.read(snapshot.body)
            let header = snapshot.header
            // Entries that were in the journal when the snapshot was made have to be there, or to have been truncated
            // since. Else entries after them may be missing, too.
            let isFollowed =
                !saved.isJournaled
                || journal.numbers.lastEvent >= header.eventsApplied
                    && journal.numbers.lastInput >= header.inputsApplied
            let isExact =
                isWhole && header.isCleanStop && header.journalID == journal.numbers.id && isFollowed
                && journal.numbers.eventsBase <= header.eventsApplied
                && journal.numbers.inputsBase <= header.inputsApplied
                && journal.numbers.unjournaledAfter.map { $0 < header.number } ?? true
            do throws(StateFault) {
                let recorder = try restoration.restored(saved.state, ids, isExact)
                return .success(Restored(recorder: recorder, saved: saved, isExact: isExact))
            } catch {
                throw MessageFault("\(error)")
            }
        } catch {
            return .failure(error)
        }
    }

    /// Restores the rows: first those that were on disk, then those that the replay made again.
    private func restoreRows(
        _ rows: ReplayedRows, _ start: inout RecorderStart, _ journal: any StateJournal, isExact: Bool
    ) throws {
        // Rows up to this number are on disk or in the database.
        let known = rows.last - Int64(rows.inMemory.count)
        let extent = try journal.rowExtent()
        backlog = RowBacklog(
            hasDisk: true, lastNumber: max(known, isExact ? 0 : extent?.newest ?? 0),
            onDisk: extent.flatMap { $0.oldest <= known || !isExact ? $0.oldest : nil })
        lastSpilled = extent?.newest ?? 0
        if !isExact {
            // The numbers go on above any number that was given since, by however many processes died before they saved
            // anything.
            backlog.jump(beyond: RowBacklog.floor(at: time.now()))
            start.rows = backlog.lastNumber
        }
        beganAfter = start.rows
        store.use(lineage, beganAfter: beganAfter, appliedInput: journal.numbers.inputApplied)
        if isExact {
            held = rows.inMemory
            release()
        }
        if rows.isSpilling { keepBelowLimit() }
    }
}
