import Journal
import Platform
import Recording
import Storage
import Wire

/// The body of the journal thread, which makes it: `begin`, then `run`, then `end`.
final class JournalWorker {
    /// How the journal does.
    enum Health {
        /// Can become: failing.
        case good
        /// It cannot be written; `again` is when it is tried next. Can become: good.
        case failing(again: MonotonicTime, backoff: Duration)
    }

    let settings: JournalSettings
    let queue: CommitQueue
    let shared: Monitor<JournalLoop.Shared>
    let intake: WebhookIntake
    let store: StoreLoop
    let restoration: JournalLoop.Restoration
    let metrics: JournalMetrics
    let readiness: Readiness
    let log: Log
    let time: any TimeSource

    /// Nil where nothing is kept.
    var files: StateFiles?
    var line = RowLine(hasDisk: false, lastNumber: 0, onDisk: nil)
    var health = Health.good
    /// The file is new: the state has to be saved before anything is accepted or leaves.
    var lacksState = false
    /// What the next commit takes with it.
    var commit = Commit(rules: Recorder.rules)
    /// Events that were taken out of the mail for the next commit; kept for its memory.
    var arrivals = Arrivals()
    /// Rows that may leave when the inputs before them are durable.
    var held: [PlacedRow] = []
    /// The starts of the program on this state and the names of its rows.
    var lineage = RowLineage(name: "")
    /// The last row that was known when this process began.
    var beganAfter: Int64 = 0
    /// The store waits for a new name.
    var isRenaming = false
    var snapshot: RecorderSnapshot?
    var readings: [ShipperReading] = []
    var truncation: Truncation?
    /// Rows in the database, and those of them that the journal knows to be there.
    var appliedUpTo: Int64 = 0
    var appliedInput: Int64 = 0
    var forgottenUpTo: Int64 = 0
    /// The number of the last event that the recorder was given.
    var delivered: Int64 = 0
    /// The last row that was written to disk.
    var lastSpilled: Int64 = 0

    /// The last commit with events: when it ended, how long it took, and how many they were.
    var lastGroup = (end: MonotonicTime(nanoseconds: 0), took: Duration.zero, count: 0)

    private var isClosing = false
    private var stopBy: MonotonicTime?
    /// A recorder was made, and may have left series.
    var hasBegun = false

    init(
        settings: JournalSettings, queue: CommitQueue, shared: Monitor<JournalLoop.Shared>, intake: WebhookIntake,
        store: StoreLoop, restoration: JournalLoop.Restoration, metrics: JournalMetrics, readiness: Readiness,
        log: Log, time: any TimeSource
    ) {
        self.settings = settings
        self.queue = queue
        self.shared = shared
        self.intake = intake
        self.store = store
        self.restoration = restoration
        self.metrics = metrics
        self.readiness = readiness
        self.log = log
        self.time = time
    }

    // MARK: Turns

    /// Works until a stop is asked for and everything is written, or the stop's time is over.
    func run() {
        // Rows may wait on disk while nothing else happens.
        loadRows()
        while true {
            collect()
            if isCommitDue { attempt() } else { release() }
            loadRows()
            if held.isEmpty { queue.mail.withLock { $0.isHoldingRows = false } }
            if isClosing && queue.mail.withLock({ $0.arrivals.isEmpty }) {
                isClosing = false
                intake.finish()
            }
            if let stopBy, isDone || time.monotonic() >= stopBy { return }
        }
    }

    /// Closes everything.
    func end() {
        files?.saver.stop()
        files?.close()
        files = nil
        intake.finish()
        shared.change { $0.keepsState = false }
        queue.mail.change { $0.isFailing = true }
    }

    /// Lets events of a crowd wait for each other, but no longer than the commit before took: one commit for all of
    /// them costs what each would cost alone.
    private func gather() {
        let limits = JournalSettings.Limits.self
        guard lastGroup.count >= limits.crowd, files != nil else { return }
        let end = lastGroup.end + min(lastGroup.took, limits.gathering)
        _ = queue.mail.wait(until: end) { mail -> Bool? in
            mail.awaited = limits.company
            return mail.arrivals.count >= limits.company || mail.isClosing || mail.stopBy != nil ? true : nil
        }
    }

    /// Waits for mail, or until the next attempt is due, and takes all of it.
    private func collect() {
        gather()
        struct Taken {
            var turns: [RecorderTurn] = []
            var readings: [ShipperReading] = []
            var refused: [RefusedRow] = []
            var saved: [SnapshotResult] = []
            var copiedAfter: Int64?
        }
        var taken = Taken()
        let isStopping = stopBy != nil
        _ = queue.mail.wait(until: wakeAt) { mail -> Bool? in
            mail.awaited = 1
            guard mail.isUrgent || !isStopping && mail.stopBy != nil else { return nil }
            mail.awaited = .max
            swap(&arrivals, &mail.arrivals)
            taken = Taken(
                turns: mail.turns, readings: mail.readings, refused: mail.refused, saved: mail.saved,
                copiedAfter: mail.copiedAfter)
            appliedUpTo = mail.appliedUpTo
            appliedInput = mail.appliedInput
            isClosing = isClosing || mail.isClosing
            stopBy = mail.stopBy
            mail.clear()
            return true
        }
        for turn in taken.turns { take(turn) }
        readings += taken.readings
        // What a journal lacks that is about to begin with the whole state is no reason to be silent.
        if lacksState { for reading in taken.readings { reading.isDone.change { $0 = true } } }
        for row in taken.refused { take(row) }
        for result in taken.saved { take(result) }
        if let input = taken.copiedAfter { rename(after: input) }
    }

    private var wakeAt: MonotonicTime? {
        if isCommitDue { return time.monotonic() }
        guard case .failing(let again, _) = health else { return stopBy }
        return stopBy.map { min($0, again) } ?? again
    }

    private func take(_ turn: RecorderTurn) {
        for input in turn.inputs { commit.inputs.append { input.encode(into: &$0) } }
        if commit.inputs.size_bytes > JournalSettings.Limits.inputs_bytes { giveUpInputs() }
        held += turn.rows
        guard var new = turn.snapshot else { return }
        if lacksState && new.events < delivered {
            // A new journal begins with everything that was accepted before it, or it would miss what is not in there.
            return askForSnapshot()
        }
        // A newer one stands for the older one, too, but for its ids: those are told once.
        if let older = snapshot { new.ids = older.ids + new.ids }
        snapshot = new
        // A new journal begins with what follows the state; the inputs up to here are part of it.
        if lacksState { commit.inputs.restart(first: 1) }
    }

    /// A state that knows of them takes the place of inputs for which there was no room.
    private func giveUpInputs() {
        log.throttled(.error, "the journal has not been written for too long: it begins anew with the whole state")
        commit.inputs.restart(first: 1)
        snapshot = nil
        beginAnew()
        askForSnapshot()
    }

    /// The journal is a new file that nothing is kept in before the state is: events are refused meanwhile. Where events
    /// are not journaled, nothing depends on it.
    func beginAnew() {
        guard settings.durability == .commit else { return beGood() }
        lacksState = true
        queue.mail.change { $0.isFailing = true }
        readiness.block(.journal, because: "the journal is new: the state is being saved")
    }

    /// Asks the recorder for a complete snapshot, at once.
    func askForSnapshot() {
        shared.change { shared in
            shared.isSaving = false
            shared.needsSnapshot = true
            shared.needsAllIDs = true
        }
        intake.wake()
    }

    private func take(_ row: RefusedRow) {
        guard files != nil else { return }
        // While the disk refuses, as many wait as the journal keeps.
        if commit.setAside.count >= JournalFile.Limits.setAsideRows { commit.setAside.removeFirst() }
        metrics.noteSetAside(1)
        commit.setAside.append(
            SetAsideRow(
                sequence: row.number, at: time.now(), reason: row.error.description, row: row.row.json()))
    }

    /// Nothing is left that could be written. A disk that fails may get well in time.
    private var isDone: Bool {
        guard let files else { return !isCommitDue }
        if files.saver.isBusy || !held.isEmpty { return false }
        guard case .failing = health else { return !isCommitDue }
        return snapshot == nil && commit.inputs.isEmpty && readings.isEmpty && line.pending.isEmpty
    }
}

extension AppliedInput {
    /// The entry of the journal's table `inputs`.
    func encode(into writer: inout MessageWriter) {
        writer.field(1, after)
        writer.message(2) { input.encode(into: &$0) }
    }

    init(from reader: inout MessageReader) throws(MessageFault) {
        var after: Int64 = 0
        var input: Input?
        while let field = try reader.next() {
            switch field {
            case 1: after = try reader.int64()
            case 2:
                var message = try reader.message()
                input = try Input(from: &message)
            default: try reader.skip()
            }
        }
        guard let input else { throw MessageFault("an entry without an input") }
        self.init(input: input, after: after)
    }
}
