import Journal
import LiveKit
import Platform
import Recording
import Status
import Synchronization
import Wire

// Events that kill: one that processes died of again and again is set aside, so that the next process lives.

/// The events that are not applied, because processes died of them.
struct EventsSetAside: Sendable {
    /// They were never applied, so leaving them out changes nothing of what was seen.
    fileprivate(set) var neverApplied: Set<Int64> = []
    /// An earlier process had applied them. Without them the state is another one than was seen.
    fileprivate(set) var appliedBefore: Set<Int64> = []

    func contains(_ event: Int64) -> Bool { neverApplied.contains(event) || appliedBefore.contains(event) }
}

extension JournalWorker {
    /// Counts the death of the process before, and finds the events that the replay leaves out. It sets aside those that
    /// have died too often.
    func findSetAside(_ journal: any StateJournal, after snapshot: Int64) throws -> EventsSetAside {
        if journal.isShared { hand = settings.hand } else { try countDeath(journal, after: snapshot) }
        let killers = journal.numbers.deaths.filter { $0.value >= JournalSettings.Limits.deaths && $0.key > snapshot }
        guard !killers.isEmpty else { return EventsSetAside() }
        var (found, lastAfter) = try notedSetAside(journal)
        // A turn of a shared log is committed while its last events are still being applied: that is no sign.
        lastAfter = max(lastAfter, journal.numbers.eventsFinished)
        for (event, deaths) in killers.sorted(by: { $0.key < $1.key }) where !found.contains(event) {
            let wasApplied = lastAfter >= event
            let after = wasApplied ? max(event, lastAfter) : min(event - 1, journal.numbers.lastEvent)
            try setAside(event, deaths: deaths, after: after, journal)
            lastAfter = max(lastAfter, after)
            if wasApplied { found.appliedBefore.insert(event) } else { found.neverApplied.insert(event) }
        }
        return found
    }

    /// The journal is a new one, and its numbers are those of the events from now on.
    func renameHand(_ journal: any StateJournal) { if !journal.isShared { hand?.use(journal.numbers.id) } }

    // MARK: Deaths

    /// Commits the death of the event that the process before had in hand.
    private func countDeath(_ journal: any StateJournal, after snapshot: Int64) throws(JournalError) {
        if hand == nil, let directory = settings.directory {
            do throws(SystemError) {
                let opened = try EventInHand(path: "\(directory)/\(EventInHand.fileName)")
                uncountedDeath = opened.begin(journal.numbers.id)
                hand = opened
            } catch {
                // Such a process counts no deaths. That is no reason not to start.
                log.debug("the number of the event in hand is not kept", ["error": .text(error)])
            }
        }
        // The journal of an attempt before may have been another one.
        hand?.use(journal.numbers.id)
        guard let event = uncountedDeath else { return }
        if event > snapshot && event <= journal.numbers.lastEvent {
            var commit = Commit()
            commit.deaths = [event]
            guard try isCommitted(commit, journal) else { return }
            metrics.noteEventDeath()
            let deaths = journal.numbers.deaths[event] ?? 0
            log.warning(
                """
                the process before died while it applied an event: the event is applied again, and set aside \
                after three deaths. Nothing is lost so far. Look for the cause at the end of the log of that process
                """, ["event": .int(Int(event)), "deaths": .int(deaths)])
        }
        uncountedDeath = nil
    }

    /// Commits a note; false where the disk has no room. A full disk is no reason not to start.
    private func isCommitted(_ commit: Commit, _ journal: any StateJournal) throws(JournalError) -> Bool {
        do throws(JournalError) {
            try journal.commit(commit)
            return true
        } catch {
            guard error.kind == .full, journal.isOpen else { throw error }
            return false
        }
    }

    // MARK: Setting aside

    /// Reads which events were set aside, and the last event after which any input was applied.
    private func notedSetAside(_ journal: any StateJournal) throws -> (found: EventsSetAside, lastAfter: Int64) {
        var found = EventsSetAside()
        var lastAfter: Int64 = 0
        var inputs = journal.entries(.inputs, after: 0)
        while let step = try inputs.next() {
            // The replay notes what is damaged.
            guard case .entry(_, var reader) = step, let entry = try? InputEntry(from: &reader) else { continue }
            lastAfter = max(lastAfter, entry.after)
            guard let event = entry.setAside else { continue }
            if entry.after >= event { found.appliedBefore.insert(event) } else { found.neverApplied.insert(event) }
        }
        return (found, lastAfter)
    }

    /// Commits that an event is set aside, with a dead letter that tells a person which one.
    private func setAside(_ number: Int64, deaths: Int, after: Int64, _ journal: any StateJournal) throws {
        let accepted = try event(number, of: journal)
        let now = time.now()
        let letter = DeadLetter(
            event: number, at: now, reason: "\(deaths) processes died while they applied this event",
            row: accepted?.json(number) ?? #"{"event":\#(number)}"#)
        var commit = Commit(rules: Recorder.rules)
        commit.restart(afterEvent: journal.numbers.lastEvent, afterInput: journal.numbers.lastInput)
        let entry = InputEntry(settingAside: number, receivedAt: accepted?.receivedAt ?? now, after: after)
        commit.inputs.append { entry.encode(into: &$0) }
        commit.deadLetters = [letter]
        // Without room this process leaves it out all the same, and the next one notes it.
        _ = try isCommitted(commit, journal)
        metrics.noteEventSetAside()
        inbox.published.withLock {
            $0.deadLetters.note(at: now, table: DeadLetterStatus.event, reason: "\(letter.reason): \(letter.row)")
        }
        log.error(
            """
            an event that lkpush died of again and again is set aside: it is not counted, and everything after it is. Keep \
            the log of the processes that died and report it with this line
            """,
            [
                "event": .int(Int(number)), "deaths": .int(deaths), "id": .string(accepted?.event.id ?? ""),
                "type": .string(accepted?.event.type.rawValue ?? ""),
                "room": .string(accepted?.event.room.name ?? ""),
            ])
    }

    private func event(_ number: Int64, of journal: any StateJournal) throws -> AcceptedEvent? {
        var events =
            journal.isShared
            ? try journal.appended(after: number - 1, limit: 1) : journal.entries(.events, after: number - 1)
        guard case .entry(number, var reader)? = try events.next() else { return nil }
        return try? AcceptedEvent(from: &reader)
    }
}

extension AcceptedEvent {
    /// The event for people, as a JSON object.
    fileprivate func json(_ number: Int64) -> String {
        var bytes = Array(#"{"event":\#(number)"#.utf8)
        for (name, value) in [
            ("id", event.id), ("type", event.type.rawValue), ("room", event.room.name),
            ("room_sid", event.room.sid), ("received_at", CivilTime(receivedAt).description),
        ] {
            bytes += Array(#","\#(name)":"#.utf8)
            JSONText.append(value.truncated(toBytes: JournalSettings.Limits.eventText_bytes), to: &bytes)
        }
        return String(decoding: bytes, as: UTF8.self) + "}"
    }
}
