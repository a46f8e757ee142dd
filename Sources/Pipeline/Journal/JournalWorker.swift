import Journal
import Platform
import Recording
import RemoteWrite
import Storage
import Wire

/// The body of the journal thread, which makes it: `begin`, then `run`, then `end`.
final class JournalWorker {
    /// The health of the journal.
    enum Health {
        /// Can become: failing.
        case good
        /// The journal cannot be written. `again` is the time of the next attempt, after so many failures in a row. Can
        /// become: good.
        case failing(again: MonotonicTime, failures: Int)
    }

    let settings: JournalSettings
    let inbox: JournalInbox
    let store: StoreInbox
    let recorder: any CommittedEventSink
    let reservations: any EventReservations
    let restoration: JournalThread.Restoration
    let metrics: JournalMetrics
    let readiness: Readiness
    let log: Log
    let time: any TimeSource

    /// The open journal; nil where nothing is kept.
    var files: ActiveJournal?
    var backlog = RowBacklog(hasDisk: false, lastNumber: 0, onDisk: nil)
    var health = Health.good
    /// Readings that are not committed in time are sent all the same.
    var sendsLateReadings: Bool { files?.journal.sendsLateReadings ?? true }
    /// The journal is new. The state has to be saved before anything is accepted or leaves.
    var lacksState = false
    /// The receipt of the last commit, or of the opening.
    var receipt = CommitReceipt.withoutJournal
    /// The next commit, as far as it is known.
    var commit = Commit(rules: Recorder.rules)
    /// The events of the next commit, taken out of the inbox. It is kept for its memory.
    var events = UncommittedEvents()
    /// The held rows: they may leave when the inputs before them are durable.
    var held: [NumberedRow] = []
    /// The usage that may be seen when the inputs before it are durable, merged.
    var usage = UsageReading()
    /// The usage is to be published as soon as that can be.
    var isUsageWanted = false
    /// The starts of the program on this state and the names of its rows.
    var lineage = RowLineage(name: "")
    /// The number of the last row that was known when this process began.
    var beganAfter: Int64 = 0
    /// The store waits for a new name.
    var isRenaming = false
    var snapshot: RecorderSnapshot?
    var readings = WaitingReadings()
    /// The bytes of series of destinations that do not exist any more, until they are off the disk.
    var forgotten: [[UInt8]] = []
    var truncation: Truncation?
    /// Rows up to `appliedUpTo` are in the database, and the journal knows that of those up to `forgottenUpTo`.
    /// `appliedInput` is the last input that has rows there.
    var appliedUpTo: Int64 = 0
    var appliedInput: Int64 = 0
    var forgottenUpTo: Int64 = 0
    /// The number of the last event that the recorder was given.
    var delivered: Int64 = 0
    /// The number of the last row that was written to disk.
    var lastSpilled: Int64 = 0

    /// The last commit with events: when it ended, how long it took, and how many events it had.
    var lastGroup = (end: MonotonicTime(nanoseconds: 0), took: Duration.zero, count: 0)

    /// The number that is added to the event number and the input number, for the ordinals of row positions.
    var ordinalBase: Int64 = 0
    /// The time when the next snapshot is asked for.
    var nextSnapshot: MonotonicTime
    /// The time when the room on the disk is looked at again.
    private var nextDiskLook: MonotonicTime
    /// The time when people are told again what waits.
    var nextStatus: MonotonicTime

    /// The time when the shared log is looked at again, and when a commit may note again what was applied.
    var nextLook: MonotonicTime
    var nextTurn: MonotonicTime
    /// The shared log may have more events, or had no more when it was read last.
    var isLogLonger = false
    var isAtEndOfLog = false
    /// The recorder was told that no event follows.
    var isRecorderClosed = false
    /// The event of the last snapshot that was asked for because many had come.
    var eventOfSnapshot: Int64 = 0
    /// Another replica leads the log, or this one has to restore the state again: nothing leaves any more.
    var isReplaced = false
    /// The name that rows had before they are renamed.
    var renamedFrom: String?

    private(set) var isClosing = false
    var isRecorderDone = false
    private var stopBy: MonotonicTime?
    /// The last message to the store about rows that it does not have.
    var toldStore: (onDisk: Int, areExpected: Bool, areKept: Bool)?
    /// The number of the event in hand; nil where it cannot be kept.
    var hand: EventInHand?
    /// The event that the process before had in hand when it died, until its death is committed.
    var uncountedDeath: Int64?
    /// A recorder was made, and may have left series.
    var hasBegun = false

    init(
        _ inbox: JournalInbox, settings: JournalSettings, store: StoreInbox, recorder: any CommittedEventSink,
        reservations: any EventReservations, restoration: JournalThread.Restoration, metrics: JournalMetrics,
        readiness: Readiness,
        log: Log, time: any TimeSource
    ) {
        self.inbox = inbox
        self.settings = settings
        self.store = store
        self.recorder = recorder
        self.reservations = reservations
        self.restoration = restoration
        self.metrics = metrics
        self.readiness = readiness
        self.log = log
        self.time = time
        let now = time.monotonic()
        nextSnapshot = now + settings.snapshotInterval
        nextDiskLook = now
        nextStatus = now
        nextLook = now
        nextTurn = now
    }

    // MARK: Turns

    /// Works until a stop is asked for and everything is written, or until the stop's time is over.
    func run() {
        // Rows may wait on disk while nothing else happens.
        loadRows()
        while true {
            lookAtDiskIfDue()
            askForSnapshotIfDue()
            collect()
            if !isReplaced && inbox.isReplaced { giveWay() }
            readLogIfDue()
            if isCommitDue { attempt() } else { release() }
            if isReplaced { discard() }
            publishUsage()
            // Before rows are loaded, so that the store asks for those that it makes room for from now on; and after it.
            tellStore()
            loadRows()
            tellStore()
            publishTablesIfDue()
            if isClosing && hasEveryEvent {
                isClosing = false
                isRecorderClosed = true
                recorder.close()
            }
            if let stopBy, isReplaced || isDone || time.monotonic() >= stopBy { return }
        }
    }

    /// Closes everything.
    func end() {
        tellStore(isLast: true)
        files?.saver.stop()
        files?.close()
        files = nil
        recorder.close()
        inbox.mail.change { mail in
            mail.takesEvents = false
            mail.isFinished = true
        }
    }

    /// Tells the store which rows it does not have yet.
    func tellStore(isLast: Bool = false) {
        let isFailing = inbox.mail.withLock { !$0.takesEvents }
        let areExpected = !isLast && !isFailing && !(isRecorderDone && held.isEmpty)
        let news = (onDisk: backlog.unloaded, areExpected: areExpected, areKept: files != nil)
        if let toldStore, toldStore == news { return }
        toldStore = news
        inbox.mail.withLock { $0.rowsOnDisk = news.onDisk }
        store.noteRows(onDisk: news.onDisk, areExpected: news.areExpected, areKept: news.areKept)
    }

    /// Lets events of a crowd wait for each other, but no longer than the last commit took. One commit for all of them
    /// costs what each would cost alone.
    private func gather() {
        let limits = JournalSettings.Limits.self
        guard lastGroup.count >= limits.crowd, files != nil else { return }
        let end = lastGroup.end + min(lastGroup.took, limits.gathering)
        inbox.mail.wait(until: end) { mail -> Void? in
            mail.awaited = limits.company
            return mail.events.count >= limits.company || mail.isClosing || mail.stopBy != nil ? () : nil
        }
    }

    /// Waits for mail, or until the next attempt is due, and takes all of it.
    private func collect() {
        gather()
        let isStopping = stopBy != nil
        let isDoneKnown = isRecorderDone
        let taken = inbox.mail.wait(until: wakeAt) { mail -> JournalInbox.Contents? in
            mail.awaited = 1
            let isUrgent = mail.isUrgent || !isStopping && mail.stopBy != nil || !isDoneKnown && mail.isRecorderDone
            return isUrgent ? mail.take(events: &events) : nil
        }
        guard let taken else { return }
        appliedUpTo = taken.appliedUpTo
        appliedInput = taken.appliedInput
        isRecorderDone = taken.isRecorderDone
        if taken.isClosing {
            // Events that were appended before have to be read.
            isClosing = true
            isAtEndOfLog = false
        }
        isLogLonger = isLogLonger || taken.isLogLonger
        stopBy = taken.stopBy
        for turn in taken.turns { take(turn) }
        if taken.applying > (files?.journal.numbers.lastEvent ?? .max) { commit.eventsApplied = taken.applying }
        commit.eventsFinished = taken.finished
        usage.add(taken.usage)
        isUsageWanted = isUsageWanted || taken.isUsageWanted
        readings.append(taken.readings)
        // The new journal is about to begin with the whole state. What it lacks until then is no reason to hold
        // samples.
        if lacksState && sendsLateReadings { readings.settle(.maySend) }
        for row in taken.refused { take(row) }
        for result in taken.saved { take(result) }
        if let input = taken.copiedAfter { rename(after: input) }
    }

    private var wakeAt: MonotonicTime? {
        if isCommitDue { return time.monotonic() }
        var wakeAt = stopBy
        if case .failing(let again, _) = health { wakeAt = min(wakeAt ?? again, again) }
        if settings.directory != nil { wakeAt = min(wakeAt ?? nextDiskLook, nextDiskLook) }
        if let log = wakeAtForLog { wakeAt = min(wakeAt ?? log, log) }
        return files == nil ? wakeAt : min(wakeAt ?? nextSnapshot, nextSnapshot)
    }

    /// Looks at the room on the disk from time to time. This thread waits for the file system anyway, and nobody else
    /// has to.
    func lookAtDiskIfDue() { if time.monotonic() >= nextDiskLook { lookAtDisk() } }

    func lookAtDisk() {
        guard let directory = settings.directory else { return }
        metrics.note(disk: Folder.space(of: directory))
        nextDiskLook = time.monotonic() + JournalSettings.Limits.diskPace
    }

    private func take(_ turn: RecorderTurn) {
        for input in turn.inputs { commit.inputs.append { input.encode(into: &$0) } }
        if commit.inputs.size_bytes > JournalSettings.Limits.inputs_bytes { giveUpInputs() }
        held += turn.rows
        guard var new = turn.snapshot else { return }
        metrics.noteEncoded(took: new.took)
        if lacksState && new.events < delivered {
            // A new journal begins with everything that was accepted before it. This snapshot lacks some of that.
            return askForSnapshot()
        }
        // The newer state replaces the older one. The ids of the older one are in no other snapshot, so they are kept.
        if let older = snapshot { new.ids = older.ids + new.ids }
        snapshot = new
        // A new journal begins with what follows the state. The inputs up to here are part of the state.
        if lacksState { commit.inputs.restart(first: 1) }
    }

    /// Replaces the inputs for which there was no room by a state that knows of them.
    private func giveUpInputs() {
        log.throttled(.error, "the journal has not been written for too long: it begins anew with the whole state")
        commit.inputs.restart(first: 1)
        snapshot = nil
        beginAnew()
        askForSnapshot()
    }

    /// Begins a new journal. Nothing is kept in it before the state is, so events are refused meanwhile. Where events
    /// are not journaled, nothing depends on that.
    func beginAnew() {
        guard settings.durability == .commit else { return beGood() }
        lacksState = true
        inbox.mail.change { $0.takesEvents = false }
        readiness.block(.journal, because: "the journal is new: the state is being saved")
    }

    /// Asks the recorder for a complete snapshot at once.
    func askForSnapshot() {
        nextSnapshot = time.monotonic() + settings.snapshotInterval
        recorder.requestSnapshot(isForced: true, withAllIDs: true)
    }

    /// Asks for a snapshot when the last one is old enough and none is on its way.
    private func askForSnapshotIfDue() {
        guard let files, time.monotonic() >= nextSnapshot else { return }
        nextSnapshot = time.monotonic() + settings.snapshotInterval
        if snapshot != nil || files.saver.isBusy { return }
        recorder.requestSnapshot(isForced: false, withAllIDs: false)
    }

    private func take(_ row: RefusedRow) {
        let now = time.now()
        publish(row, at: now)
        guard files != nil else { return }
        // While the disk refuses, as many dead letters wait as the journal keeps.
        if commit.deadLetters.count >= Commit.Limits.deadLetters { commit.deadLetters.removeFirst() }
        metrics.noteDeadLetters(1)
        commit.deadLetters.append(
            DeadLetter(
                sequence: row.number, at: now, reason: row.error.description, row: row.row.json()))
    }

    /// Nothing is left that could be written. A disk that fails may get well before the deadline.
    private var isDone: Bool {
        guard let files else { return !isCommitDue }
        if files.saver.isBusy || !held.isEmpty { return false }
        guard case .failing = health else { return !isCommitDue }
        return snapshot == nil && !isTurnOpen && readings.isEmpty && backlog.pending.isEmpty
    }
}
