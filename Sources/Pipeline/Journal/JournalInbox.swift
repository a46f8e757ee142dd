package import HTTPServing
import Journal
package import Platform
import Recording
package import RemoteWrite
package import Status
import Storage
import Synchronization
package import Wire

/// The only door of the journal thread: events of the intake, turns of the recorder, readings of the destinations,
/// news about rows, results of the snapshot thread, and the stop.
///
/// Any thread may call it; only `commit(reading:)` waits.
package final class JournalInbox: EventJournal {
    /// Everything that waits for the thread, and the state that its callers need to know.
    struct Mail: Sendable {
        /// The events of the intake.
        var events = UncommittedEvents()
        /// The number of events that ends the wait of the thread; `Int.max` while it does not wait for any.
        var awaited = Int.max
        /// The turns of the recorder, in order.
        var turns: [RecorderTurn] = []
        /// The usage of all these turns, merged: a disk that hangs must not cost memory.
        var usage = UsageReading()
        var isUsageWanted = false
        /// The recorder has left its last turn.
        var isRecorderDone = false
        /// The readings of the destinations. Each destination waits for its own.
        var readings: [ShipperReading] = []
        /// The store has applied rows up to this number.
        var appliedUpTo: Int64 = 0
        /// The last input that has rows in the database, as the store says.
        var appliedInput: Int64 = 0
        /// The store found that another copy of the state writes rows. That copy does not have the rows of inputs after
        /// this one.
        var copiedAfter: Int64?
        /// The rows that the database refused.
        var refused: [RefusedRow] = []
        /// The store has few rows left in memory.
        var wantsRows = false
        /// The results of the snapshot thread.
        var saved: [SnapshotResult] = []

        /// The number of rows that are on disk and not in memory. While it is 0, the store asks for none.
        var rowsOnDisk = 0
        /// False while the journal cannot be written; then events are refused.
        var takesEvents = true
        /// The shared log may have more events than were read.
        var isLogLonger = false
        /// The events of the shared log that were delivered and that the recorder has not taken.
        var outstanding = 0
        /// The thread waits until the recorder has taken events.
        var wantsRoom = false
        /// The last event of the shared log that the recorder has applied, or is about to.
        var applying: Int64 = 0
        /// The last event of the shared log that the recorder has applied to its end, noted before and after each batch.
        var finished: Int64 = 0
        /// Another replica leads the log, or this one has to restore the state again. Nothing leaves any more.
        var isReplaced = false
        /// The thread has acted on that.
        var isReplacementKnown = false
        /// The outcome of readings that are not committed in time.
        var lateReadings = ReadingOutcome.maySend
        /// No event follows. Events that are here are committed, then the recorder is told.
        var isClosing = false
        /// A start that is not done is not wanted any more.
        var isStartCancelled = false
        /// The deadline of a stop that was asked for.
        var stopBy: MonotonicTime?
        /// Everything that the recorder counted is published. No more follows.
        var isUsagePublished = false
        /// The thread is done.
        var isFinished = false

        /// Something has to be done now.
        var isUrgent: Bool {
            !events.isEmpty || !turns.isEmpty || !readings.isEmpty || !refused.isEmpty || wantsRows || !saved.isEmpty
                || isClosing || copiedAfter != nil || isLogLonger || isReplaced && !isReplacementKnown
        }

        /// Takes what has come since the last time. Fields that describe a state keep their values.
        mutating func take(events taken: inout UncommittedEvents) -> Contents {
            awaited = .max
            swap(&taken, &events)
            defer {
                turns.removeAll(keepingCapacity: true)
                usage = UsageReading()
                isUsageWanted = false
                readings.removeAll(keepingCapacity: true)
                refused.removeAll(keepingCapacity: true)
                saved.removeAll(keepingCapacity: true)
                wantsRows = false
                copiedAfter = nil
                isClosing = false
                isLogLonger = false
            }
            return Contents(
                turns: turns, usage: usage, isUsageWanted: isUsageWanted, readings: readings, refused: refused,
                saved: saved, appliedUpTo: appliedUpTo,
                appliedInput: appliedInput, copiedAfter: copiedAfter, isRecorderDone: isRecorderDone,
                isClosing: isClosing, isLogLonger: isLogLonger, applying: applying,
                finished: finished, stopBy: stopBy)
        }
    }

    /// Everything that the thread takes at one time, except the events.
    struct Contents: Sendable {
        var turns: [RecorderTurn] = []
        var usage = UsageReading()
        var isUsageWanted = false
        var readings: [ShipperReading] = []
        var refused: [RefusedRow] = []
        var saved: [SnapshotResult] = []
        var appliedUpTo: Int64 = 0
        var appliedInput: Int64 = 0
        var copiedAfter: Int64?
        var isRecorderDone = false
        var isClosing = false
        var isLogLonger = false
        var applying: Int64 = 0
        var finished: Int64 = 0
        var stopBy: MonotonicTime?
    }

    /// What the thread has published for people.
    struct Published: Sendable {
        var condition = JournalCondition()
        var deadLetters = DeadLetters()
        var tables: [TableMemory] = []
    }

    let mail = Monitor(Mail())
    let published = Mutex(Published())
    /// The answers to requests whose events are committed, or cannot be.
    let answers: WebhookAnswers

    private let noteHeld: @Sendable () -> Void
    /// Is called on the journal thread when nothing may leave any more.
    let noteReplaced: @Sendable () -> Void
    private let time: any TimeSource

    /// - Parameters:
    ///   - noteHeld: is called for each reading whose samples are held.
    ///   - noteReplaced: is called once, on the journal thread, when `isReplaced` becomes true.
    package init(
        answers: WebhookAnswers, noteHeld: @escaping @Sendable () -> Void = {},
        noteReplaced: @escaping @Sendable () -> Void = {}, time: any TimeSource = SystemTime()
    ) {
        self.answers = answers
        self.noteHeld = noteHeld
        self.noteReplaced = noteReplaced
        self.time = time
    }

    // MARK: Status

    /// The journal, as the thread found it last. Any thread may ask, and none waits for the disk.
    package var condition: JournalCondition { published.withLock { $0.condition } }

    /// The rows that the database refused, as the thread last knew them. Any thread may ask.
    package var deadLetters: DeadLetters { published.withLock { $0.deadLetters } }

    /// What waits for the journal. Any thread may ask.
    package var tables: [TableMemory] {
        let (events, turns, readings) = mail.withLock { ($0.events.count, $0.turns.count, $0.readings.count) }
        let waiting = [
            TableMemory("journal_events", events),
            TableMemory("journal_turns", turns),
            TableMemory("journal_readings", readings),
        ]
        return waiting + published.withLock { $0.tables }
    }

    // MARK: Intake

    /// Queues an event for the next commit; `request` is answered after that. False while the journal cannot be
    /// written.
    package func add(_ event: AcceptedEvent, _ request: PendingResponse) -> Bool {
        var isTaken = false
        mail.changeWakingIfNeeded { mail in
            guard mail.takesEvents else { return false }
            isTaken = true
            mail.events.append(event, request)
            return mail.events.count == mail.awaited
        }
        return isTaken
    }

    /// Notes that no event follows. Accepted events are committed, then the receiver of events is closed.
    package func close() { mail.change { $0.isClosing = true } }

    // MARK: Recorder

    /// Takes an input that the recorder is about to apply, behind everything that the recorder left before.
    ///
    /// It does not wake the thread. The turn or the reading that shows the input's effect does.
    func note(_ input: InputEntry) {
        mail.withLock { mail in
            if mail.turns.last?.snapshot != nil || mail.turns.isEmpty { mail.turns.append(RecorderTurn()) }
            mail.turns[mail.turns.count - 1].inputs.append(input)
        }
    }

    /// Takes what one turn of the recorder left.
    func take(_ turn: RecorderTurn) {
        mail.change { mail in
            mail.usage.add(turn.usage)
            if turn.isUsageWanted { mail.isUsageWanted = true }
            mail.turns.append(turn)
            mail.turns[mail.turns.count - 1].usage = UsageReading()
        }
    }

    /// Notes that the recorder is about to apply the events of a shared log up to this number, and has applied those up
    /// to `finished`.
    ///
    /// It does not wake the thread. A reading that shows an effect of them is committed after this.
    func noteApplying(upTo event: Int64, after finished: Int64) {
        mail.withLock { mail in
            mail.applying = event
            mail.finished = finished
        }
    }

    /// Notes that the recorder has left its last turn.
    package func noteRecorderDone() { mail.change { $0.isRecorderDone = true } }

    /// Waits until everything that the recorder counted is published, after its last turn. False where the journal
    /// cannot be written, or `deadline` came first: then the last totals are never shown.
    package func waitForUsage(until deadline: MonotonicTime) -> Bool {
        mail.wait(until: deadline) { mail in
            if mail.isUsagePublished { return true }
            return mail.takesEvents && !mail.isFinished ? nil : false
        } ?? false
    }

    // MARK: Store

    /// Takes news about rows from the store.
    package func note(_ progress: RowProgress) {
        mail.changeWakingIfNeeded { mail in
            switch progress {
            case .copied(let input):
                mail.copiedAfter = input
                return true
            case .applied(let number, let input, let left, let refused):
                mail.appliedUpTo = number
                mail.appliedInput = input
                // Both are noted together, so that a refused row is on disk as a dead letter before the journal forgets
                // the row.
                mail.refused += refused
                guard left < RowBacklog.Limits.lowWater, mail.rowsOnDisk > 0, !mail.wantsRows else {
                    return !refused.isEmpty
                }
                mail.wantsRows = true
                return true
            }
        }
    }

    // MARK: Snapshots

    /// Takes the result of the snapshot thread.
    func note(_ result: SnapshotResult) { mail.change { $0.saved.append(result) } }

    // MARK: The end

    /// Asks the thread to write what is left until `deadline`, and then to end.
    func stop(by deadline: MonotonicTime) { mail.change { $0.stopBy = deadline } }

    /// Has the thread give up a start that has not restored the state yet. Later it changes nothing.
    package func cancelStart() { mail.change { $0.isStartCancelled = true } }

    /// The state is not wanted any more: the start was cancelled, or a stop was asked for.
    var isStartCancelled: Bool { mail.withLock { $0.isStartCancelled || $0.stopBy != nil } }

    /// Waits until the state is not wanted any more, but no longer than `deadline`.
    func waitForCancellation(until deadline: MonotonicTime) {
        mail.wait(until: deadline) { $0.isStartCancelled || $0.stopBy != nil ? () : nil }
    }

    /// Waits until the thread is done; false where `deadline` came first.
    func waitForEnd(until deadline: MonotonicTime) -> Bool {
        mail.wait(until: deadline) { $0.isFinished ? true : nil } ?? false
    }
}

// MARK: A shared log

extension JournalInbox: EventReservations {
    /// Notes that the recorder has taken events of the shared log.
    package func free(_ count: Int) {
        mail.changeWakingIfNeeded { mail in
            mail.outstanding -= count
            guard mail.wantsRoom else { return false }
            mail.wantsRoom = false
            mail.isLogLonger = true
            return true
        }
    }

    /// Notes that this process appended events to the shared log. It is a hint: the log is looked at now and then anyway.
    package func noteAppended() {
        mail.changeWakingIfNeeded { mail in
            if mail.isLogLonger { return false }
            mail.isLogLonger = true
            return true
        }
    }

    /// Another replica leads the log, so nothing of this one leaves any more.
    package var isReplaced: Bool { mail.withLock { $0.isReplaced } }

    /// Has the thread let nothing leave any more, because another replica was seen to lead the log.
    package func giveWay() { mail.change { $0.isReplaced = true } }
}

extension JournalInbox: ReadingJournal {
    /// Has the reading committed after everything that it shows. It waits for that, a second at most. Each reading has
    /// its own outcome and deadline, so destinations share commits and nothing else.
    package func commit(
        reading at: Timestamp, destination: String, labels: String, began: [SeriesKey], ended: [SeriesKey]
    ) -> ReadingOutcome {
        func encoded(_ keys: [SeriesKey]) -> [[UInt8]] {
            keys.map { ShippedSeries(destination: destination, key: $0).bytes }
        }
        let reading = ShipperReading(
            at: at, destination: destination, labels: labels, began: encoded(began), ended: encoded(ended),
            outcome: Monitor(nil))
        mail.change { $0.readings.append(reading) }
        let deadline = time.monotonic() + JournalSettings.Limits.readingPatience
        let outcome = reading.outcome.wait(until: deadline) { $0 } ?? mail.withLock { $0.lateReadings }
        if outcome == .withhold { noteHeld() }
        return outcome
    }
}

/// A reading of a destination. It may leave when everything before it is committed.
struct ShipperReading: Sendable {
    let at: Timestamp
    let destination: String
    let labels: String
    /// The bytes of `ShippedSeries`.
    let began: [[UInt8]]
    let ended: [[UInt8]]
    /// The outcome; nil until it is known.
    let outcome: Monitor<ReadingOutcome?>

    func settle(_ new: ReadingOutcome) { outcome.change { $0 = new } }
}
