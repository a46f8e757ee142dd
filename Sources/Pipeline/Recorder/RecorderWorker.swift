import Platform
import Recording
import Status
import Storage
import Wire

/// The body of the recorder thread, which makes it.
struct RecorderWorker {
    private var recorder: Recorder
    /// The numbers of the last event and input that were applied, and of the last row that was made.
    private var events: Int64
    private var inputs: Int64
    private var rows: Int64
    /// The number that is added to the event number and the input number, for the ordinals of row positions.
    private let ordinalBase: Int64
    private let keepsState: Bool
    private let keepsInputs: Bool
    private let isLogShared: Bool
    private let hand: EventInHand?
    private let setAside: Set<Int64>

    private let inbox: RecorderInbox
    private let reservations: any EventReservations
    private let journal: JournalInbox
    private let store: StoreInbox
    private let removals: (any SessionRemovals)?
    private var unknownRooms: UnknownRoomsLog?
    private let log: Log?
    private let time: any TimeSource

    private var contents = RecorderInbox.Contents()
    private var actions: [Action] = []
    private var turn = RecorderTurn()
    /// The database has answered since events were last held back in vain.
    private var mayDelay = true
    private var lastInput: MonotonicTime
    /// The time at which the recorder was last told the time.
    private var lastTime: MonotonicTime
    /// The time when people are told again what is here.
    private var nextStatus: MonotonicTime
    /// The last snapshot: which numbers it stood for, and its size, for the buffer of the next one.
    private var lastSnapshot: (events: Int64, inputs: Int64, size_bytes: Int) = (-1, -1, 0)

    init(
        _ start: RecorderStart, inbox: RecorderInbox, reservations: any EventReservations, journal: JournalInbox,
        store: StoreInbox,
        removals: (any SessionRemovals)?, unknownRooms: UnknownRoomsLog?, log: Log?, time: any TimeSource
    ) {
        recorder = start.recorder
        (events, inputs, rows, ordinalBase) = (start.events, start.inputs, start.rows, start.ordinalBase)
        (keepsState, keepsInputs, isLogShared) = (start.keepsState, start.keepsInputs, start.isLogShared)
        (hand, setAside) = (start.hand, start.setAside)
        self.inbox = inbox
        self.reservations = reservations
        self.journal = journal
        self.store = store
        self.removals = removals
        self.unknownRooms = unknownRooms
        self.log = log
        self.time = time
        lastInput = time.monotonic()
        lastTime = lastInput
        nextStatus = lastInput
    }

    /// Works until a stop is asked for and no event follows.
    mutating func run() {
        for room in recorder.outstandingLookups { lookUp(room) }
        // Events may be waiting for a snapshot that is wanted from the start.
        if let request = inbox.takeSnapshotRequest() { takeSnapshot(request) }
        handOver()
        while true {
            inbox.take(into: &contents, until: time.monotonic() + RecorderThread.Limits.pace)
            reservations.free(contents.events.count)
            applyBatch()
            if contents.wantsUsage { countUsage() }
            if let request = contents.snapshot { takeSnapshot(request) }
            handOver()
            if contents.isLast, let deadline = contents.stopBy { return settle(until: deadline) }
        }
    }

    private mutating func applyBatch() {
        noteClock()
        let batch = contents.events
        if isLogShared && !batch.isEmpty {
            journal.noteApplying(upTo: events + Int64(batch.count), after: events)
        }
        for (index, event) in batch.enumerated() {
            // Answers are taken between events, too, so that events which wait for one do not pile up.
            if index % RecorderThread.Limits.eventsPerLook == 0 { takeAnswers() }
            if recorder.isWaitingRoomFull && mayDelay { delayForAnswers() }
            events += 1
            if setAside.contains(events) {
                recorder.passOver(event.event, receivedAt: event.receivedAt)
                continue
            }
            hand?.take(events)
            recorder.apply(.event(event.event, receivedAt: event.receivedAt), into: &actions)
            hand?.putDown()
            perform()
        }
        if isLogShared && !batch.isEmpty { journal.noteApplying(upTo: events, after: events) }
        takeAnswers()
        let now = time.monotonic()
        if !batch.isEmpty { lastInput = now }
        let pace = recorder.waitingEvents > 0 ? RecorderThread.Limits.pace : RecorderThread.Limits.idlePace
        unknownRooms?.look(at: now)
        if now >= nextStatus { publish(at: now) }
        // Usage is read when the recorder is told the time, however many events come.
        if now.since(lastInput) >= pace || now.since(lastTime) >= RecorderThread.Limits.idlePace { tellTime() }
    }

    /// Tells the recorder if the wall clock was set.
    private mutating func noteClock() {
        let receivedAt = time.received()
        let ahead_ms = time.now().milliseconds - receivedAt.milliseconds
        guard (ahead_ms - recorder.clockAhead_ms).magnitude >= RecorderThread.Limits.clockChange_ms else { return }
        if ahead_ms.magnitude >= RecorderThread.Limits.loggedClockChange_ms {
            log?.warning(
                "the wall clock was set: time-outs, and the days of usage, go on from the time at which this process began",
                [
                    "ahead_seconds": .int(Int(ahead_ms) / 1_000),
                    "action": .string(
                        "If the clock was wrong when lkpush started and is right now, restart lkpush. If it is wrong now, "
                            + "set it right first: a restart takes it for the time, and may end all that is open."),
                ])
        }
        apply(.clock(ahead_ms: ahead_ms, at: receivedAt))
    }

    private mutating func tellTime() {
        lastTime = time.monotonic()
        apply(.time(at: time.received()))
    }

    /// Counts the time up to now, where time passes anywhere.
    private mutating func countUsage() {
        if recorder.hasUnreadUsage { tellTime() }
        turn.isUsageWanted = true
    }

    /// Holds events back for answers that are on their way.
    ///
    /// A database that is only slow should not make events count under `unknown`. One that does not answer holds
    /// nothing back a second time.
    private mutating func delayForAnswers() {
        let deadline = time.monotonic() + RecorderThread.Limits.delay
        while recorder.isWaitingRoomFull && time.monotonic() < deadline {
            inbox.waitForAnswer(until: deadline)
            takeAnswers()
        }
        mayDelay = !recorder.isWaitingRoomFull
    }

    private mutating func takeAnswers() {
        for answer in inbox.takeAnswers() {
            switch answer {
            case .organization(let room, let result):
                mayDelay = true
                apply(.answer(room: room, result, at: time.received()))
            case .report(let report): apply(.report(report, at: time.received()))
            case .presence(let people): apply(.presence(people, at: time.received()))
            }
        }
        let polls = inbox.takePolls()
        for result in polls.results { apply(.poll(result, at: time.received())) }
        for question in polls.questions { question(recorder) }
    }

    /// Waits for the organizations of the last events. Events that get none in time are left to the next start.
    private mutating func settle(until deadline: MonotonicTime) {
        contents.events.removeAll()
        while recorder.waitingEvents > 0, time.monotonic() < deadline {
            inbox.waitForAnswer(until: min(deadline, time.monotonic() + RecorderThread.Limits.pace))
            applyBatch()
            handOver()
        }
        if !keepsState {
            // This is no input. But rows may come of it, and the rows of each step need a position of their own.
            inputs += 1
            recorder.giveUpWaiting(at: time.received(), into: &actions)
            perform()
        }
        unknownRooms?.finish()
        // What was counted so far goes into rows, and is seen in the last reading.
        apply(.stopping(at: time.received()))
        let request = inbox.takeSnapshotRequest()
        takeSnapshot(.init(isForced: true, withAllIDs: request?.withAllIDs ?? false), isLast: true)
        handOver()
    }

    // MARK: Inputs and actions

    /// Applies an input that is no event. The journal has the input before, so a reading that shows its effect is
    /// committed after it.
    private mutating func apply(_ input: Input) {
        inputs += 1
        if keepsInputs { journal.note(InputEntry(input: input, after: events)) }
        lastInput = time.monotonic()
        recorder.apply(input, into: &actions)
        perform()
    }

    private mutating func perform() {
        NumberedRow.append(actions, of: ordinalBase + events + inputs, after: &rows, to: &turn.rows)
        for action in actions {
            switch action {
            case .store: break
            case .lookUp(let room): lookUp(room)
            case .removeParticipant(let room, let identity, let limit):
                removals?.remove(room: room, identity: identity, until: limit)
            case .withdrawRemoval(let room, let identity): removals?.withdraw(room: room, identity: identity)
            case .tellUnknown(let room, let reason):
                let now = time.monotonic()
                unknownRooms?.note(room, reason, at: now)
            }
        }
        actions.removeAll(keepingCapacity: true)
    }

    private func lookUp(_ room: String) {
        // No answer comes to a look-up that is refused because too many wait. So the recorder is told at once.
        if !store.lookUp(room: room) { inbox.leave(.organization(room: room, .failure(.lookup_error))) }
    }

    /// Publishes for people what the tables hold, and which rooms have no organization.
    private mutating func publish(at now: MonotonicTime) {
        nextStatus = now + RecorderThread.Limits.pace
        var tables = recorder.tables.map { TableMemory($0.name, $0.entries, max: $0.max, size_bytes: $0.size_bytes) }
        tables += unknownRooms?.tables ?? []
        // Taken out, because it is changed while the recorder is asked.
        var rooms = unknownRooms.take()
        let shown = rooms?.shown(at: now, wall: time.now()) { recorder.knowsOrganization(ofRoom: $0) }
        unknownRooms = rooms
        inbox.publish(tables, shown ?? RecentUnknownRooms.Shown())
    }

    private mutating func handOver() {
        turn.usage.add(recorder.takeUsageReading())
        if turn.isEmpty { return }
        journal.take(turn)
        turn = RecorderTurn()
    }

    /// Makes the snapshot that was asked for. The larger the state, the longer it takes.
    private mutating func takeSnapshot(_ request: RecorderInbox.SnapshotRequest, isLast: Bool = false) {
        guard keepsState else { return }
        if !request.isForced && lastSnapshot.events == events && lastSnapshot.inputs == inputs { return }
        let snapshot = RecorderSnapshot(
            of: &recorder, events: events, inputs: inputs, rows: rows, withAllIDs: request.withAllIDs, isLast: isLast,
            expected_bytes: lastSnapshot.size_bytes, time)
        lastSnapshot = (events, inputs, snapshot.state.count)
        turn.snapshot = snapshot
    }
}
