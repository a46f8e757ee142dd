import LiveKit
import Wire

/// Events that wait for the organization of their room, in order per room.
struct WaitingRooms: Sendable {
    /// A room that waits, as it is saved.
    struct Waiter: Sendable {
        var name: Slot<NameState> = .none
        var number: UInt64 = 0
        var since_ms: Int64 = 0
        var arrivals: [Arrival] = []
    }

    struct Arrival: Sendable {
        let event: Event
        let receivedAt: Timestamp
    }

    private struct Line: Sendable {
        let number: UInt64
        var arrivals: [Arrival]
    }

    private struct Turn: Sendable {
        let name: Slot<NameState>
        let number: UInt64
        let since_ms: Int64
    }

    private var lines: [Slot<NameState>: Line] = [:]
    /// Rooms in the order in which they began to wait; some of them wait no more.
    private var turns = Fifo<Turn>()
    private(set) var lastNumber: UInt64 = 0
    /// Events that wait now.
    private(set) var count = 0

    init() {}

    /// The rooms as they waited, longest first.
    init(_ waiters: [Waiter], lastNumber: UInt64) {
        self.lastNumber = lastNumber
        for waiter in waiters {
            lines[waiter.name] = Line(number: waiter.number, arrivals: waiter.arrivals)
            turns.append(Turn(name: waiter.name, number: waiter.number, since_ms: waiter.since_ms))
            count += waiter.arrivals.count
        }
    }

    /// The rooms that wait, longest first.
    var waiters: [Waiter] {
        turns.all.compactMap { turn in
            guard let line = lines[turn.name], line.number == turn.number else { return nil }
            return Waiter(name: turn.name, number: turn.number, since_ms: turn.since_ms, arrivals: line.arrivals)
        }
    }

    mutating func append(_ event: Event, receivedAt: Timestamp, in name: Slot<NameState>) {
        count += 1
        let arrival = Arrival(event: event, receivedAt: receivedAt)
        if lines[name]?.arrivals.append(arrival) != nil { return }
        lastNumber += 1
        lines[name] = Line(number: lastNumber, arrivals: [arrival])
        turns.append(Turn(name: name, number: lastNumber, since_ms: receivedAt.milliseconds))
    }

    /// Takes out the events of a room, oldest first.
    mutating func take(_ name: Slot<NameState>) -> [Arrival] {
        guard let line = lines.removeValue(forKey: name) else { return [] }
        count -= line.arrivals.count
        return line.arrivals
    }

    /// The room that waits longest, where it has waited since `latest_ms` or before, or since after `clock_ms`.
    mutating func longest(since latest_ms: Int64 = .max, orAfter clock_ms: Int64 = .max) -> Slot<NameState>? {
        while let turn = turns.first {
            if lines[turn.name]?.number == turn.number {
                return turn.since_ms <= latest_ms || turn.since_ms > clock_ms ? turn.name : nil
            }
            _ = turns.popFirst()
        }
        return nil
    }
}
