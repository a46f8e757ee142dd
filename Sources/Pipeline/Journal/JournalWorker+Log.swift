import Journal
import Platform
import Recording
import RemoteWrite
import Wire

// The events of a log that several processes share. They are read from it, and nothing leaves that they caused before a
// commit says that they were applied.

extension JournalWorker {
    private var sharedLog: (any StateJournal)? {
        guard let journal = files?.journal, journal.isShared else { return nil }
        return journal
    }

    /// Something was applied that no commit has.
    var isTurnOpen: Bool { !commit.inputs.isEmpty || commit.eventsApplied != nil }

    /// A commit is due for what was applied: something waits for it, or, in a shared log, others want to see it.
    var isTurnDue: Bool {
        guard isTurnOpen else { return false }
        return sharedLog == nil ? !held.isEmpty : time.monotonic() >= nextTurn
    }

    /// Every event that there was when the intake was closed is with the recorder.
    var hasEveryEvent: Bool {
        guard sharedLog != nil else { return inbox.mail.withLock { $0.events.isEmpty } }
        return isReplaced || isAtEndOfLog
    }

    /// The time at which the shared log needs this thread; nil where there is none.
    var wakeAtForLog: MonotonicTime? {
        guard sharedLog != nil, !isReplaced, !lacksState else { return nil }
        return isTurnOpen ? min(nextLook, nextTurn) : nextLook
    }

    /// Reads the events that were appended, as many as the recorder has room for.
    func readLogIfDue() {
        guard let journal = sharedLog, journal.isOpen, !isReplaced, !isRecorderClosed, !lacksState else { return }
        let now = time.monotonic()
        guard now >= nextLook || isLogLonger else { return }
        isLogLonger = false
        isAtEndOfLog = false
        let room = inbox.mail.withLock { mail in
            mail.wantsRoom = mail.outstanding >= settings.logRoom
            return settings.logRoom - mail.outstanding
        }
        // The recorder says when it has taken some.
        guard room > 0 else { return nextLook = now + JournalSettings.Limits.idleLogPace }
        do throws(JournalError) {
            let count = try read(journal, atMost: room)
            isAtEndOfLog = count == 0
            isLogLonger = count > 0
            nextLook =
                now + (count > 0 ? JournalSettings.Limits.logPace : JournalSettings.Limits.idleLogPace)
        } catch {
            nextLook = now + JournalSettings.Limits.backoff.maximum
            if inbox.isReplaced { return giveWay() }
            log.throttled(
                .warning, "the shared log cannot be read: webhooks wait in it until it can be",
                ["error": .text(error), "action": .string("See whether the database of JOURNAL_URL answers.")])
        }
        if delivered - eventOfSnapshot >= JournalSettings.Limits.eventsPerSnapshot {
            eventOfSnapshot = delivered
            nextSnapshot = now
        }
    }

    private func read(_ journal: any StateJournal, atMost room: Int) throws(JournalError) -> Int {
        var cursor = try journal.appended(after: delivered, limit: room)
        var events: [AcceptedEvent] = []
        reading: while events.count < room, let step = try cursor.next() {
            switch step {
            case .damaged(_, let last):
                if events.isEmpty { try passOver(to: last, journal) }
                break reading
            case .entry(let number, var reader):
                do throws(MessageFault) {
                    events.append(try AcceptedEvent(from: &reader))
                } catch {
                    if events.isEmpty { try passOver(to: number, journal) }
                    break reading
                }
            }
        }
        if events.isEmpty { return 0 }
        inbox.mail.withLock { $0.outstanding += events.count }
        recorder.deliver(Committed(events, by: receipt))
        delivered += Int64(events.count)
        return events.count
    }

    /// Goes on behind events that cannot be read. The state is restored again: that finds the gap, and begins the totals
    /// at zero.
    private func passOver(to number: Int64, _ journal: any StateJournal) throws(JournalError) {
        var note = Commit()
        note.eventsApplied = number
        try journal.commit(note)
        metrics.noteDamage()
        log.error(
            """
            events of the shared log are damaged and cannot be read: what they told is lost, and the state is restored \
            without them. See whether the disk of the database is sound
            """, ["last": .int(Int(number))])
        giveWay()
    }

    // MARK: Replaced

    /// Stops letting anything leave, because another replica leads the log.
    func giveWay() {
        if isReplaced { return }
        isReplaced = true
        inbox.mail.change { mail in
            mail.isReplaced = true
            mail.isReplacementKnown = true
            mail.takesEvents = false
            mail.isStartCancelled = true
        }
        discard()
        inbox.noteReplaced()
    }

    /// Drops everything that waits for a commit. The new leader makes it again.
    func discard() {
        readings.settle(.withhold)
        readings.removeAll()
        held.removeAll()
        usage = .init()
        snapshot = nil
        commit.restart(afterEvent: 0, afterInput: 0)
    }

    // MARK: Advice

    func adviceOnWriting(_ error: JournalError) -> Advice {
        sharedLog == nil ? JournalAdvice.unwritable(error, settings.durability) : JournalAdvice.logUnwritable
    }

    func adviceOnReading(_ error: any Error) -> Advice {
        settings.isShared ? JournalAdvice.logUnreadable : JournalAdvice.unreadable(error, settings.durability)
    }
}
