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

/// The queue between listener and recorder, and the requests that wait for room in it.
///
/// Any thread may offer; the recorder drains. Who waits is admitted in order of arrival, before anybody who comes later.
package final class WebhookIntake: Sendable {
    /// The bounds of waiting, each with its reason.
    package enum Limits {
        /// How long a request waits for room. SPEC 2; LiveKit has no time-out of its own and wants an answer in 1 s.
        package static let patience: Duration = .milliseconds(500)
        /// How long the recorder lets events gather before it takes them: nobody waits for what it does, and a thousand
        /// wake-ups a second cost little where fifty thousand cost half a core.
        package static let gathering: Duration = .milliseconds(1)
        /// Requests that wait at one time: each is an open connection with an event.
        package static let waiting = 4_000
    }

    /// What became of an offered event.
    package enum Offer: Sendable {
        /// It is queued.
        case accepted
        /// It is queued as soon as there is room; the pending response says how that ended.
        case waiting(PendingResponse)
        /// Too many wait already.
        case full
        /// The intake was closed.
        case closed
    }

    private struct Waiter {
        let event: AcceptedEvent
        let pending: PendingResponse
        let whenAdmitted: Response
    }

    private struct Line {
        var waiters: [Waiter] = []
        /// Those before it have left.
        var first = 0

        var count: Int { waiters.count - first }

        mutating func removeFirst() -> Waiter? {
            guard first < waiters.count else { return nil }
            let waiter = waiters[first]
            first += 1
            if first == waiters.count {
                waiters.removeAll(keepingCapacity: true)
                first = 0
            } else if first >= 1_024 {
                waiters.removeFirst(first)
                first = 0
            }
            return waiter
        }

        /// Drops those in front whose deadline has answered: deadlines are in order.
        mutating func removeLate(now: MonotonicTime) {
            while first < waiters.count, waiters[first].pending.deadline < now { _ = removeFirst() }
        }
    }

    private let queue: BoundedQueue<AcceptedEvent>
    private let line = Mutex(Line())
    private let patience: Duration

    package init(capacity: Int, patience: Duration = Limits.patience) {
        queue = BoundedQueue(capacity: capacity)
        self.patience = patience
    }

    package var capacity: Int { queue.capacity }

    /// Events that are queued now.
    package var count: Int { queue.count }

    /// Requests that wait for room now, late ones included until the next look.
    package var waitingCount: Int { line.withLock { $0.count } }

    // MARK: Listener

    /// Queues an event, or lets its request wait.
    ///
    /// - Parameters:
    ///   - whenAdmitted: answers a request that waited and got its room.
    ///   - whenLate: answers one that did not, and counts it.
    package func offer(
        _ event: AcceptedEvent, now: MonotonicTime, whenAdmitted: Response,
        whenLate: @escaping @Sendable () -> Response
    ) -> Offer {
        line.withLock { line in
            if line.count > 0 { line.removeLate(now: now) }
            if line.count == 0 {
                switch queue.offer(event) {
                case .accepted: return .accepted
                case .closed: return .closed
                case .full: break
                }
            }
            guard line.count < Limits.waiting else { return .full }
            let pending = PendingResponse(deadline: now + patience, fallback: whenLate)
            line.waiters.append(Waiter(event: event, pending: pending, whenAdmitted: whenAdmitted))
            return .waiting(pending)
        }
    }

    // MARK: Recorder

    /// Waits for events and moves all of them into `batch`, which is emptied first; then admits those who wait.
    package func drain(
        into batch: inout [AcceptedEvent], until deadline: MonotonicTime?
    ) -> BoundedQueue<AcceptedEvent>.Wait {
        let wait = queue.drain(into: &batch, until: deadline, gathering: Limits.gathering)
        admit()
        return wait
    }

    /// Ends the current or the next wait of the recorder early.
    package func wake() { queue.wake() }

    /// Refuses what comes from now on, and who waits; what is queued can still be drained.
    package func close() {
        let waiters = line.withLock { line in
            queue.close()
            defer { line = Line() }
            return Array(line.waiters[line.first...])
        }
        for waiter in waiters { waiter.pending.expire() }
    }

    private func admit() {
        var admitted: [Waiter] = []
        line.withLock { line in
            while line.count > 0 && queue.count < queue.capacity, let waiter = line.removeFirst() {
                // Claimed before it is queued: an event whose sender was told 503 comes again.
                guard waiter.pending.claim() else { continue }
                let offer = queue.offer(waiter.event)
                precondition(offer == .accepted, "only offers under this lock fill the queue")
                admitted.append(waiter)
            }
        }
        // Outside the lock: an answer enters the HTTP library.
        for waiter in admitted { waiter.pending.respond(waiter.whenAdmitted) }
    }
}
