import Platform
import Recording
import Storage
import Wire

/// The body of the recorder thread, which makes it.
struct RecorderWorker {
    private var recorder: Recorder
    /// Numbers of the last event and input that were applied, and of the last row that was made.
    private var events: Int64
    private var inputs: Int64
    private var rows: Int64
    /// What the numbers of events and inputs are added to.
    private let ordinalBase: Int64

    private let intake: WebhookIntake
    private let mailbox: RecorderLoop.Mailbox
    private let store: StoreLoop
    private let journal: JournalLoop
    private let enforcer: SessionEnforcer?
    private var unknownRooms: UnknownRoomsLog?
    private let time: any TimeSource
    private let snapshotInterval: Duration

    private var actions: [Action] = []
    private var batch: [AcceptedEvent] = []
    private var turn = RecorderTurn()
    /// The database has answered since events were last held back for it in vain.
    private var mayHold = true
    private var lastInput: MonotonicTime
    private var nextSnapshot: MonotonicTime

    init(
        _ start: RecorderStart, intake: WebhookIntake, mailbox: RecorderLoop.Mailbox, store: StoreLoop,
        journal: JournalLoop, enforcer: SessionEnforcer?, unknownRooms: UnknownRoomsLog?, snapshotInterval: Duration,
        time: any TimeSource
    ) {
        recorder = start.recorder
        (events, inputs, rows, ordinalBase) = (start.events, start.inputs, start.rows, start.ordinalBase)
        self.intake = intake
        self.mailbox = mailbox
        self.store = store
        self.journal = journal
        self.enforcer = enforcer
        self.unknownRooms = unknownRooms
        self.time = time
        self.snapshotInterval = snapshotInterval
        lastInput = time.monotonic()
        nextSnapshot = start.needsSnapshot ? lastInput : lastInput + snapshotInterval
    }

    mutating func run(stopBy: () -> MonotonicTime?) {
        for room in recorder.outstandingLookups { lookUp(room) }
        // Where one is wanted from the start, events may be waiting for it.
        if time.monotonic() >= nextSnapshot { takeSnapshot(isLast: false) }
        handOver()
        while true {
            let wait = intake.drain(into: &batch, until: time.monotonic() + RecorderLoop.Limits.pace)
            applyBatch()
            if time.monotonic() >= nextSnapshot || journal.needsSnapshot { takeSnapshot(isLast: false) }
            handOver()
            guard wait == .finished, let deadline = stopBy() else { continue }
            settle(until: deadline)
            return
        }
    }

    private mutating func applyBatch() {
        for (index, event) in batch.enumerated() {
            // Answers are looked for between events too: those that wait for one should not pile up.
            if index % RecorderLoop.Limits.eventsPerLook == 0 { takeAnswers() }
            if recorder.isWaitingRoomFull && mayHold { holdForAnswers() }
            events += 1
            recorder.apply(.event(event.event, receivedAt: event.receivedAt), into: &actions)
            perform()
        }
        takeAnswers()
        let now = time.monotonic()
        if !batch.isEmpty { lastInput = now }
        let pace = recorder.waitingEvents > 0 ? RecorderLoop.Limits.pace : RecorderLoop.Limits.idlePace
        unknownRooms?.look(at: now)
        if now.since(lastInput) >= pace { apply(.time(at: time.now())) }
    }

    /// A database that is only slow should not make events count under `unknown`. One that does not answer holds
    /// nothing back a second time.
    private mutating func holdForAnswers() {
        let deadline = time.monotonic() + RecorderLoop.Limits.hold
        while recorder.isWaitingRoomFull && time.monotonic() < deadline {
            mailbox.wait(until: deadline)
            takeAnswers()
        }
        mayHold = !recorder.isWaitingRoomFull
    }

    private mutating func takeAnswers() {
        for answer in mailbox.take() {
            switch answer {
            case .organization(let room, let result):
                mayHold = true
                apply(.answer(room: room, result, at: time.now()))
            case .report(let report): apply(.report(report, at: time.now()))
            case .presence(let people): apply(.presence(people, at: time.now()))
            }
        }
    }

    /// The last events may wait for an organization: the answers are waited for, then left to the next start.
    private mutating func settle(until deadline: MonotonicTime) {
        let pause = Monitor(())
        batch.removeAll()
        while recorder.waitingEvents > 0, time.monotonic() < deadline {
            _ = pause.wait(until: time.monotonic() + .milliseconds(10)) { _ in nil as Void? }
            applyBatch()
            handOver()
        }
        if !journal.keepsState {
            // No input, but rows may come of it, and each input has its own.
            inputs += 1
            recorder.giveUpWaiting(at: time.now(), into: &actions)
            perform()
        }
        unknownRooms?.finish()
        takeSnapshot(isLast: true)
        handOver()
    }

    // MARK: Inputs and what comes of them

    /// Applies an input that is no event. The journal has it before: a reading that shows what came of it is written
    /// down after it.
    private mutating func apply(_ input: Input) {
        inputs += 1
        if journal.keepsInputs { journal.note(AppliedInput(input: input, after: events)) }
        lastInput = time.monotonic()
        recorder.apply(input, into: &actions)
        perform()
    }

    private mutating func perform() {
        let before = turn.rows.count
        PlacedRow.append(actions, of: ordinalBase + events + inputs, to: &turn.rows)
        rows += Int64(turn.rows.count - before)
        for action in actions {
            switch action {
            case .store: break
            case .lookUp(let room): lookUp(room)
            case .removeParticipant(let room, let identity, let limit):
                enforcer?.remove(room: room, identity: identity, until: limit)
            case .withdrawRemoval(let room, let identity): enforcer?.withdraw(room: room, identity: identity)
            case .tellUnknown(let room, let reason):
                let now = time.monotonic()
                unknownRooms?.note(room, reason, at: now)
            }
        }
        actions.removeAll(keepingCapacity: true)
    }

    private func lookUp(_ room: String) {
        // Where too many look-ups wait, no answer will come: the recorder is told so at once.
        if !store.lookUp(room: room) { mailbox.leave(.organization(room: room, .failure(.lookup_error))) }
    }

    private mutating func handOver() {
        if turn.isEmpty { return }
        journal.take(turn)
        turn = RecorderTurn()
    }

    private mutating func takeSnapshot(isLast: Bool) {
        nextSnapshot = time.monotonic() + snapshotInterval
        guard journal.wantsSnapshot(isLast: isLast) else { return }
        turn.snapshot = journal.encode(&recorder, events: events, inputs: inputs, rows: rows, isLast: isLast)
    }
}
