import LiveKit
import Wire

/// Events that wait for the organization of their room, in order for each room.
struct WaitingRooms: Sendable {
    /// The saved form of a room with waiting events.
    struct Waiter: Sendable {
        var name: Slot<RoomNameState> = .none
        var number: UInt64 = 0
        var since_ms: Int64 = 0
        var events: [WaitingEvent] = []
    }

    struct WaitingEvent: Sendable {
        let event: Event
        let receivedAt: Timestamp
        /// A poll found it: it is no webhook.
        let isRecovered: Bool
    }

    private struct RoomQueue: Sendable {
        let number: UInt64
        var events: [WaitingEvent]
    }

    private struct Turn: Sendable {
        let name: Slot<RoomNameState>
        let number: UInt64
        let since_ms: Int64
    }

    private var queues: [Slot<RoomNameState>: RoomQueue] = [:]
    /// The rooms in the order in which they began to wait. Some of them do not wait any more.
    private var turns = Deque<Turn>()
    private(set) var lastNumber: UInt64 = 0
    /// The number of waiting events.
    private(set) var count = 0

    init() {}

    /// Restores the waiting rooms, the longest wait first.
    init(_ waiters: [Waiter], lastNumber: UInt64) {
        self.lastNumber = lastNumber
        for waiter in waiters {
            queues[waiter.name] = RoomQueue(number: waiter.number, events: waiter.events)
            turns.append(Turn(name: waiter.name, number: waiter.number, since_ms: waiter.since_ms))
            count += waiter.events.count
        }
    }

    /// The waiting rooms, the longest wait first.
    var waiters: [Waiter] {
        turns.all.compactMap { turn in
            guard let queue = queues[turn.name], queue.number == turn.number else { return nil }
            return Waiter(name: turn.name, number: turn.number, since_ms: turn.since_ms, events: queue.events)
        }
    }

    mutating func append(
        _ event: Event, receivedAt: Timestamp, isRecovered: Bool, in name: Slot<RoomNameState>
    ) {
        count += 1
        let waitingEvent = WaitingEvent(event: event, receivedAt: receivedAt, isRecovered: isRecovered)
        if queues[name]?.events.append(waitingEvent) != nil { return }
        lastNumber += 1
        queues[name] = RoomQueue(number: lastNumber, events: [waitingEvent])
        turns.append(Turn(name: name, number: lastNumber, since_ms: receivedAt.milliseconds))
    }

    /// Removes and returns the events of a room, oldest first.
    mutating func take(_ name: Slot<RoomNameState>) -> [WaitingEvent] {
        guard let queue = queues.removeValue(forKey: name) else { return [] }
        count -= queue.events.count
        return queue.events
    }

    /// Returns the room with the longest wait, if that began at `latest_ms` or before, or after `clock_ms`.
    mutating func longest(since latest_ms: Int64 = .max, orAfter clock_ms: Int64 = .max) -> Slot<RoomNameState>? {
        while let turn = turns.first {
            if queues[turn.name]?.number == turn.number {
                return turn.since_ms <= latest_ms || turn.since_ms > clock_ms ? turn.name : nil
            }
            _ = turns.popFirst()
        }
        return nil
    }
}
