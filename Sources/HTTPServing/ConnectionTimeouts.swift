import Platform
import Synchronization

/// Enforces the time limits: its thread sends overdue responses and shuts down connections that are too slow.
///
/// It sleeps until the earliest deadline that it knows, but at most one second while a connection is open.
final class ConnectionTimeouts: Sendable {
    private struct State {
        var wake: MonotonicTime = .never
        var isEnded = false
    }

    private let table: ConnectionTable
    private let lingering: LingeringClose
    private let settings: ServerSettings
    private let counts: ServingCounters
    private let state = Monitor(State())
    /// `State.wake`, readable without the lock.
    private let wake = Atomic<Int64>(MonotonicTime.never.nanoseconds)

    init(table: ConnectionTable, lingering: LingeringClose, settings: ServerSettings, counts: ServingCounters) {
        self.table = table
        self.lingering = lingering
        self.settings = settings
        self.counts = counts
    }

    /// Ensures that the thread wakes up at `time` or before. If it does so already, this costs one atomic read.
    func schedule(at time: MonotonicTime) {
        // Sequentially consistent: the caller has stored a phase before; see `Connection.phase` and `look`.
        guard time.nanoseconds < wake.load(ordering: .sequentiallyConsistent) else { return }
        state.change { state in
            if time < state.wake { set(&state, time) }
        }
    }

    /// The body of the thread.
    func run() {
        var rested = MonotonicTime(nanoseconds: 0)
        while true {
            let isEnded = state.wait(until: nil) { state in state.isEnded ? true : state.wake < .never ? false : nil }
            if isEnded == true { return }
            let due = state.withLock { max($0.wake, rested) }
            let ended: Bool? = state.wait(until: due) { state in
                state.isEnded ? true : max(state.wake, rested) < due ? false : nil
            }
            if ended == true { return }
            if ended == false { continue }
            // A deadline that is scheduled from here on is kept, whatever the look below has seen of it.
            state.withLock { set(&$0, .never) }
            let next = look(now: SystemTime().monotonic())
            state.withLock { if next < $0.wake { set(&$0, next) } }
            rested = SystemTime().monotonic() + Limits.lookPause
        }
    }

    func end() { state.change { $0.isEnded = true } }

    private func set(_ state: inout State, _ time: MonotonicTime) {
        state.wake = time
        wake.store(time.nanoseconds, ordering: .sequentiallyConsistent)
    }

    /// Acts on all overdue limits. Returns the time of the next look.
    private func look(now: MonotonicTime) -> MonotonicTime {
        var next = MonotonicTime.never
        var late: [PendingResponse] = []
        table.forEach { connection in
            let end = inspect(connection, now, &late)
            next = min(next, end, now + Limits.look)
        }
        // Outside the table's lock: a response enters the HTTP library, which calls the table in turn.
        for pending in late { pending.expire() }
        if lingering.look(now: now) { next = min(next, now + .milliseconds(20)) }
        return next
    }

    /// Acts on one connection. Returns the time at which its next limit is reached.
    private func inspect(
        _ connection: Connection, _ now: MonotonicTime, _ late: inout [PendingResponse]
    ) -> MonotonicTime {
        let (phase, time) = connection.phase
        switch phase {
        case .waiting:
            if now < time { return time }
            guard let pending = connection.pending.withLock({ $0 }) else { return .never }
            // The deadline may have been postponed since the connection began to wait.
            let deadline = pending.deadline
            if now < deadline { return deadline }
            late.append(pending)
            return .never
        case .header:
            return cut(connection, at: time + settings.headerTimeout, now, counting: counts.headerTimeouts)
        case .body:
            return cut(connection, at: time + settings.requestTimeout, now, counting: counts.requestTimeouts)
        case .answering:
            return cut(connection, at: time + settings.answerTimeout, now, counting: counts.answerTimeouts)
        case .idle:
            return inspectIdle(connection, since: time, now)
        }
    }

    private func cut(
        _ connection: Connection, at end: MonotonicTime, _ now: MonotonicTime, counting counter: borrowing Atomic<Int>
    ) -> MonotonicTime {
        if now < end { return end }
        // Counted once, however long the poll thread takes to notice.
        if connection.isCut { return .never }
        counter.add(1, ordering: .relaxed)
        connection.cut()
        return .never
    }

    /// Inspects an idle connection. The library does not say when a request line begins, but the system knows when the
    /// last byte came. If bytes came while the connection was idle, and no request came of them within the time for a
    /// header, they are a header that is sent too slowly.
    private func inspectIdle(_ connection: Connection, since: MonotonicTime, _ now: MonotonicTime) -> MonotonicTime {
        let end = since + settings.idleTimeout
        if now >= end { return cut(connection, at: end, now, counting: counts.idleTimeouts) }
        let age = now.since(since)
        guard age > settings.headerTimeout, let quiet = connection.sinceLastByte, age - quiet > .seconds(1) else {
            return end
        }
        if let suspicion = connection.suspicion, suspicion.idleSince == since.nanoseconds {
            let limit = MonotonicTime(nanoseconds: suspicion.at) + settings.headerTimeout
            return cut(connection, at: limit, now, counting: counts.headerTimeouts)
        }
        connection.suspicion = (since.nanoseconds, now.nanoseconds)
        return end
    }
}

extension MonotonicTime {
    /// Later than every deadline.
    static let never = MonotonicTime(nanoseconds: .max)
}
