import HTTPClient
import Platform
import RemoteWrite
import Wire

/// A reading on its way to a destination.
struct Tick: Sendable {
    var reading: RegistryReading
    /// The time at which it was made.
    let at: MonotonicTime
    /// The time to which the clock was set back since the reading before. Nil if it was not.
    var setBackTo: Timestamp?
    /// No other reading follows: every series ends with it.
    let isLast: Bool

    /// This tick and a later one as one.
    func merged(with next: Tick) -> Tick {
        Tick(
            reading: reading.merged(with: next.reading), at: next.at, setBackTo: next.setBackTo ?? setBackTo,
            isLast: next.isLast)
    }
}

/// The inbox of the thread of one destination. Any thread may put something in.
struct ShipperInbox: Sendable {
    enum Limits {
        /// The readings that wait for a destination whose disk or journal is slow. Further ones become one with the last
        /// of them.
        static let ticks = 4
    }

    /// The content of the inbox when the thread looked.
    struct Mail {
        var ticks: [Tick]
        var wantsReload: Bool
        var stopBy: MonotonicTime?
    }

    /// The end of a thread's start.
    enum Start: Sendable {
        /// - Parameter newest: the newest time in its spool.
        case ready(newest: Timestamp?)
        case failed(TransportError)
    }

    private struct State {
        var start: Start?
        var waker: Waker?
        var ticks: [Tick] = []
        var merged: UInt64 = 0
        var accepted: Timestamp?
        var wantsReload = false
        var stopBy: MonotonicTime?
        var report: ShipperReport?
    }

    private let state = Monitor(State())

    // MARK: For other threads

    /// Passes on a reading. If too many wait, it takes the place of the last one, with the values of both.
    func offer(_ tick: Tick) {
        let waker: Waker? = state.change { state in
            if state.ticks.count >= Limits.ticks, let last = state.ticks.popLast() {
                state.merged += 1
                state.ticks.append(last.merged(with: tick))
            } else {
                state.ticks.append(tick)
            }
            return state.waker
        }
        waker?.wake()
    }

    /// The newest time that the receiver has accepted. Nil if it has accepted nothing.
    var accepted: Timestamp? { state.withLock { $0.accepted } }

    func requestReload() {
        let waker: Waker? = state.change { state in
            state.wantsReload = true
            return state.waker
        }
        waker?.wake()
    }

    func requestStop(by deadline: MonotonicTime) {
        let waker: Waker? = state.change { state in
            state.stopBy = deadline
            return state.waker
        }
        waker?.wake()
    }

    func awaitStart() -> Start { state.wait(until: nil) { $0.start } ?? .ready(newest: nil) }

    /// Waits until the thread has ended. Nil if it has not when the deadline comes: its disk does not answer.
    func awaitReport(until deadline: MonotonicTime) -> ShipperReport? { state.wait(until: deadline) { $0.report } }

    // MARK: For the thread

    func noteStart(_ start: Start, _ waker: Waker?) {
        state.change { state in
            state.start = start
            state.waker = waker
        }
    }

    func note(accepted: Timestamp) { state.change { $0.accepted = accepted } }

    /// The readings that became one with another, since the start.
    var merged: UInt64 { state.withLock { $0.merged } }

    func take() -> Mail {
        state.withLock { state in
            defer {
                state.ticks.removeAll(keepingCapacity: true)
                state.wantsReload = false
            }
            return Mail(ticks: state.ticks, wantsReload: state.wantsReload, stopBy: state.stopBy)
        }
    }

    func noteEnd(_ report: ShipperReport) {
        state.change { state in
            state.waker = nil
            state.report = report
        }
    }
}
