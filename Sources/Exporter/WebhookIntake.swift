package import HTTPServing
package import LiveKit
package import Platform
import Synchronization
package import Wire

/// A webhook that was verified, and when.
package struct AcceptedEvent: Sendable {
    package var event: Event
    package var receivedAt: Timestamp

    package init(event: Event, receivedAt: Timestamp) {
        self.event = event
        self.receivedAt = receivedAt
    }
}

/// The way of events from listener to recorder: room for each is reserved first, then the journal makes it durable, then
/// the recorder gets it. Requests that find no room wait in line.
///
/// Any thread may offer; the journal delivers, the recorder drains. Who waits is admitted in order of arrival, before
/// anybody who comes later. Without a journal an offered event is with the recorder at once.
package final class WebhookIntake: Sendable {
    /// The bounds of waiting, each with its reason.
    package enum Limits {
        /// How long a request waits for room. SPEC 2; LiveKit has no time-out of its own and wants an answer in 1 s.
        package static let patience: Duration = .milliseconds(500)
        /// How long a request waits in all, with the commit of its event: an answer leaves within 1 s.
        package static let commitPatience: Duration = .milliseconds(900)
        /// How long the recorder lets events gather before it takes them: nobody waits for what it does, and two hundred
        /// wake-ups a second cost little where fifty thousand cost half a core.
        package static let gathering: Duration = .milliseconds(5)
        /// Requests that wait at one time: each is an open connection with an event.
        package static let waiting = 4_000
    }

    /// What became of an offered event.
    package enum Offer: Sendable {
        /// It is queued, and durable as far as it was asked for.
        case accepted
        /// It is on its way; the pending response says how that ended.
        case waiting(PendingResponse)
        /// Nothing became of it.
        case refused(WebhookRefusal)
    }

    /// The answers of requests that had to wait.
    package struct Answers: Sendable {
        package let accepted: Response
        /// Makes the answer of a request whose event was not taken, or not in time, and counts it.
        package let refused: @Sendable (WebhookRefusal) -> Response

        package init(accepted: Response, refused: @escaping @Sendable (WebhookRefusal) -> Response) {
            self.accepted = accepted
            self.refused = refused
        }
    }

    private struct Waiter {
        let event: AcceptedEvent
        let pending: PendingResponse
        let arrivedAt: MonotonicTime
        let answers: Answers
    }

    private enum Phase {
        /// The state is being restored. Can become: open, closed.
        case starting
        /// Can become: closed.
        case open
        case closed
    }

    private struct State {
        var phase: Phase
        var line = Fifo<Waiter>()
        /// Events that were given room and that the recorder has not taken.
        var reserved = 0

        /// Drops those in front whose deadline has answered: deadlines are in order.
        mutating func removeLate(now: MonotonicTime) {
            while let waiter = line.first, waiter.pending.deadline < now { _ = line.popFirst() }
        }
    }

    private let queue: BoundedQueue<AcceptedEvent>
    private let state: Mutex<State>
    private let patience: Duration
    private let journal: CommitQueue?

    /// - Parameter journal: where events are made durable; nil where being queued is enough.
    package init(
        capacity: Int, patience: Duration = Limits.patience, journal: CommitQueue? = nil, isOpen: Bool = true
    ) {
        queue = BoundedQueue(capacity: capacity)
        state = Mutex(State(phase: isOpen ? .open : .starting))
        self.patience = patience
        self.journal = journal
    }

    package var capacity: Int { queue.capacity }

    /// Events that have room now: being committed, or queued for the recorder.
    package var count: Int { state.withLock { $0.reserved } }

    /// Requests that wait for room now, late ones included until the next look.
    package var waitingCount: Int { state.withLock { $0.line.count } }

    /// Takes events from now on; those that have waited for it first.
    package func open() {
        state.withLock { if $0.phase == .starting { $0.phase = .open } }
        admit()
    }

    // MARK: Listener

    /// Takes an event, or lets its request wait.
    package func offer(_ event: AcceptedEvent, now: MonotonicTime, answers: Answers) -> Offer {
        state.withLock { state in
            if state.phase == .closed { return .refused(.stopping) }
            if state.line.count > 0 { state.removeLate(now: now) }
            if state.phase == .open && state.line.isEmpty && state.reserved < capacity {
                guard let journal else {
                    push(event, &state)
                    return .accepted
                }
                let pending = PendingResponse(deadline: now + Limits.commitPatience) { answers.refused(.commit_late) }
                guard journal.add(event, pending, answers) else { return .refused(.journal_failed) }
                state.reserved += 1
                return .waiting(pending)
            }
            guard state.line.count < Limits.waiting else { return .refused(.queue_full) }
            // While the state is restored, too: that takes less than a second as a rule.
            let refusal = state.phase == .starting ? WebhookRefusal.starting : .queue_full
            let pending = PendingResponse(deadline: now + patience) { answers.refused(refusal) }
            state.line.append(Waiter(event: event, pending: pending, arrivedAt: now, answers: answers))
            return .waiting(pending)
        }
    }

    // MARK: Journal

    /// Hands committed events to the recorder, in order.
    package func deliver(_ events: [AcceptedEvent]) {
        let offer = queue.offer(contentsOf: events)
        precondition(offer != .full, "room was reserved")
    }

    /// Gives back the room of events that could not be committed.
    package func giveBack(_ count: Int) {
        state.withLock { $0.reserved -= count }
        admit()
    }

    // MARK: Recorder

    /// Waits for events and moves all of them into `batch`, which is emptied first; then admits those who wait.
    package func drain(
        into batch: inout [AcceptedEvent], until deadline: MonotonicTime?
    ) -> BoundedQueue<AcceptedEvent>.Wait {
        let wait = queue.drain(into: &batch, until: deadline, gathering: Limits.gathering)
        if batch.isEmpty { admit() } else { giveBack(batch.count) }
        return wait
    }

    /// Ends the current or the next wait of the recorder early.
    package func wake() { queue.wake() }

    // MARK: Ending

    /// Refuses what comes from now on, and who waits in line. What has room still goes its way.
    package func close() {
        let waiters = state.withLock { state in
            state.phase = .closed
            defer { state.line = Fifo() }
            return Array(state.line.all)
        }
        for waiter in waiters { waiter.pending.expire() }
        // Without a journal nothing else comes.
        if journal == nil { queue.close() }
    }

    /// Nothing will be delivered any more: the journal has ended.
    package func finish() { queue.close() }

    private func push(_ event: AcceptedEvent, _ state: inout State) {
        let offer = queue.offer(event)
        precondition(offer == .accepted, "room was reserved")
        state.reserved += 1
    }

    private func admit() {
        var answered: [(Waiter, WebhookRefusal?)] = []
        state.withLock { state in
            guard state.phase != .starting else { return }
            while state.reserved < capacity, let waiter = state.line.popFirst() {
                guard let journal else {
                    // Claimed before it is queued: an event whose sender was told 503 comes again.
                    guard waiter.pending.claim() else { continue }
                    push(waiter.event, &state)
                    answered.append((waiter, nil))
                    continue
                }
                let answers = waiter.answers
                let isInTime = waiter.pending.postpone(until: waiter.arrivedAt + Limits.commitPatience) {
                    answers.refused(.commit_late)
                }
                guard isInTime else { continue }
                if journal.add(waiter.event, waiter.pending, answers) {
                    state.reserved += 1
                } else if waiter.pending.claim() {
                    answered.append((waiter, .journal_failed))
                }
            }
        }
        // Outside the lock: an answer enters the HTTP library.
        for (waiter, refusal) in answered {
            waiter.pending.respond(refusal.map(waiter.answers.refused) ?? waiter.answers.accepted)
        }
    }
}
