package import HTTPServing
import Journal
package import Platform
package import Status
import Synchronization
import Wire

/// The way of events in: a reservation for each is reserved first, then the journal's inbox gets it. Requests that find no reservation
/// wait in line.
///
/// Any thread may offer. Requests in line are admitted in the order of their arrival, before later ones. Without a
/// journal of events an offered event is with the recorder at once.
package final class WebhookIntake: Sendable {
    /// The bounds of waiting, each with its reason.
    package enum Limits {
        /// The time that a request waits for a reservation. LiveKit has no time-out of its own and wants an answer in 1 s.
        package static let patience: Duration = .milliseconds(500)
        /// The time that a request waits in all, with the commit of its event, so that an answer leaves within 1 s.
        package static let commitPatience: Duration = .milliseconds(900)
        /// Requests that wait at one time. Each is an open connection with an event.
        package static let waiting = 4_000
    }

    /// The outcome of an offer.
    package enum Offer: Sendable {
        /// The event is queued, and durable where that was asked for.
        case accepted
        /// The event is on its way. The pending response tells how that ended.
        case waiting(PendingResponse)
        /// The event was not taken.
        case refused(WebhookRefusal)
    }

    private struct Waiter {
        let event: AcceptedEvent
        let request: PendingResponse
        let arrivedAt: MonotonicTime
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
        var line = Deque<Waiter>()
        /// The number of events that have a reservation and that the recorder has not taken.
        var reserved = 0

        /// Removes the waiters in front whose deadline is over. Deadlines are in order.
        mutating func removeLate(now: MonotonicTime) {
            while let waiter = line.first, waiter.request.deadline < now { _ = line.popFirst() }
        }
    }

    private let state: Mutex<State>
    private let patience: Duration
    private let answers: WebhookAnswers
    private let journal: (any EventJournal)?
    private let recorder: RecorderInbox?

    /// - Parameters:
    ///   - journal: makes events durable; nil where being queued is enough.
    ///   - recorder: its inbox has the reservations that are reserved here.
    package init(
        answers: WebhookAnswers, patience: Duration = Limits.patience, journal: (any EventJournal)?,
        recorder: RecorderInbox? = nil, capacity: Int? = nil, isOpen: Bool = true
    ) {
        self.capacity = capacity ?? recorder?.capacity ?? 1
        state = Mutex(State(phase: isOpen ? .open : .starting))
        self.patience = patience
        self.answers = answers
        self.journal = journal
        self.recorder = recorder
    }

    /// The most events that may be on their way to the recorder.
    package let capacity: Int

    /// The number of events that have a reservation now: being committed, or queued for the recorder.
    package var count: Int { state.withLock { $0.reserved } }

    /// The number of requests that wait for a reservation now. Late ones are included until they are removed.
    package var waitingCount: Int { state.withLock { $0.line.count } }

    /// What waits in it.
    package var tables: [TableMemory] {
        let (reserved, waiting) = state.withLock { ($0.reserved, $0.line.count) }
        return [
            TableMemory("queue_events", reserved, max: capacity),
            TableMemory("requests_waiting", waiting, max: Limits.waiting),
        ]
    }

    /// Takes events from now on. Those that waited for it come first.
    package func open() {
        state.withLock { if $0.phase == .starting { $0.phase = .open } }
        admit()
    }

    /// Takes an event, or lets its request wait.
    package func offer(_ event: AcceptedEvent, now: MonotonicTime) -> Offer {
        state.withLock { state in
            if state.phase == .closed { return .refused(.stopping) }
            if state.line.count > 0 { state.removeLate(now: now) }
            if state.phase == .open && state.line.isEmpty && state.reserved < capacity {
                guard let journal else {
                    pass(event, &state)
                    return .accepted
                }
                let request = pending(until: now + Limits.commitPatience, .commit_late)
                guard journal.add(event, request) else { return .refused(.journal_failed) }
                state.reserved += 1
                return .waiting(request)
            }
            guard state.line.count < Limits.waiting else { return .refused(.queue_full) }
            // Requests wait while the state is restored, too. That takes less than a second as a rule.
            let request = pending(until: now + patience, state.phase == .starting ? .starting : .queue_full)
            state.line.append(Waiter(event: event, request: request, arrivedAt: now))
            return .waiting(request)
        }
    }

    /// Refuses all events that come from now on, and all requests in line. Events that have a reservation go their way.
    package func close() {
        let waiters = state.withLock { state in
            state.phase = .closed
            defer { state.line = Deque() }
            return Array(state.line.all)
        }
        for waiter in waiters { waiter.request.expire() }
        // Without a journal nobody else closes the recorder's inbox.
        if journal == nil { recorder?.close() }
    }

    private func pending(until deadline: MonotonicTime, _ refusal: WebhookRefusal) -> PendingResponse {
        PendingResponse(deadline: deadline) { [answers] in answers.refused(refusal) }
    }

    /// Passes on an event that needs no commit.
    private func pass(_ event: AcceptedEvent, _ state: inout State) {
        recorder?.deliver(Committed(event, by: .withoutJournal))
        state.reserved += 1
    }

    private func admit() {
        var answered: [(Waiter, WebhookRefusal?)] = []
        state.withLock { state in
            guard state.phase != .starting else { return }
            while state.reserved < capacity, let waiter = state.line.popFirst() {
                guard let journal else {
                    // The request is claimed before its event is queued: an event whose sender was told 503 comes
                    // again.
                    guard waiter.request.claim() else { continue }
                    pass(waiter.event, &state)
                    answered.append((waiter, nil))
                    continue
                }
                let isInTime = waiter.request.postpone(until: waiter.arrivedAt + Limits.commitPatience) { [answers] in
                    answers.refused(.commit_late)
                }
                guard isInTime else { continue }
                if journal.add(waiter.event, waiter.request) {
                    state.reserved += 1
                } else if waiter.request.claim() {
                    answered.append((waiter, .journal_failed))
                }
            }
        }
        // Answers are given outside the lock, because they enter the HTTP library.
        for (waiter, refusal) in answered {
            waiter.request.respond(refusal.map(answers.refused) ?? answers.accepted)
        }
    }
}

extension WebhookIntake: EventReservations {
    /// Gives back the reservations of events, and admits requests that wait for it.
    package func free(_ count: Int) {
        state.withLock { $0.reserved -= count }
        admit()
    }
}
