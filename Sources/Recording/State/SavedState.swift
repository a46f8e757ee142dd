import LiveKit
import Storage
import Wire

/// The saved state of a recorder after it was read, and before it was checked.
struct SavedState {
    /// The entities in the order of their places, and the free places.
    struct Table<Element> {
        var elements: [Element] = []
        var free: [Int32] = []
    }

    var version: UInt64 = 0
    var source = SavedSource()
    var now_ms: Int64 = 0
    var lastTick_ms: Int64 = 0
    var lastSweep_ms: Int64 = 0
    var lastNumber: UInt64 = 0
    var metrics: [SavedMetric] = []
    var process = MessageReader([])
    var organizations = Table<SavedOrganization>()
    var names = Table<RoomNameState>()
    var rooms = Table<RoomState>()
    var participants = Table<ParticipantState>()
    var tracks = Table<TrackState>()
    var egress = Table<JobState>()
    var ingress = Table<JobState>()
    var nameChecks: [RoomNameCheck] = []
    var waiters: [WaitingRooms.Waiter] = []
    var lastWaiter: UInt64 = 0
    var licenses: [String: Organization] = [:]
    /// The first and the next number of the ids of each kind.
    var ids: [(first: UInt64, next: UInt64)] = []
    var lastPoll_ms: Int64 = 0
    var beganAt_ms: Int64 = 0
    var clockAhead_ms: Int64 = 0
    var replaced: [ReplacedSession] = []
    var agentJobs = Table<JobState>()
    /// Nil in a state of a program before 0.8.0.
    var usage: UsageState?

    init(_ message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        while let field = try reader.next() {
            if try readTable(field, &reader) { continue }
            switch field {
            case 1: version = try reader.uint64()
            case 2: source = try SavedSource(reader.message())
            case 3: now_ms = try reader.int64()
            case 4: lastTick_ms = try reader.int64()
            case 5: lastSweep_ms = try reader.int64()
            case 6: lastNumber = try reader.uint64()
            case 7:
                var nested = try reader.message()
                metrics.append(try SavedMetric(from: &nested))
            case 8: process = try reader.message()
            case 24: nameChecks.append(try RoomNameCheck(reader.message()))
            case 25: waiters.append(try WaitingRooms.Waiter(reader.message()))
            case 26: lastWaiter = try reader.uint64()
            case 27:
                var nested = try reader.message()
                let organization = try Organization(from: &nested)
                licenses[organization.id] = organization
            case 28: ids.append(try Self.numbers(reader.message()))
            case 29: lastPoll_ms = try reader.int64()
            case 30: beganAt_ms = try reader.int64()
            case 35: clockAhead_ms = try reader.int64()
            case 31: replaced.append(try ReplacedSession(reader.message()))
            case 34: usage = try UsageState(from: reader.message())
            default: try reader.skip()
            }
        }
        guard version > 0 else { throw MessageFault("the state has no version") }
        guard version <= Recorder.stateVersion else {
            throw MessageFault("the state has version \(version), this program reads up to \(Recorder.stateVersion)")
        }
        guard ids.count <= Recorder.remembered.count else { throw MessageFault("there are more kinds of ids") }
        // Numbers only rise, so one that is near the maximum is damaged.
        guard lastNumber < 1 << 62, lastWaiter < 1 << 62 else { throw MessageFault("a number is too large") }
    }

    private mutating func readTable(_ field: Int, _ reader: inout MessageReader) throws(MessageFault) -> Bool {
        switch field {
        case 10: organizations.elements.append(try element(&reader, SavedOrganization.init))
        case 11: organizations.free.append(try place(&reader))
        case 12: names.elements.append(try element(&reader, RoomNameState.init))
        case 13: names.free.append(try place(&reader))
        case 14: rooms.elements.append(try element(&reader, RoomState.init))
        case 15: rooms.free.append(try place(&reader))
        case 16: participants.elements.append(try element(&reader, ParticipantState.init))
        case 17: participants.free.append(try place(&reader))
        case 18: tracks.elements.append(try element(&reader, TrackState.init))
        case 19: tracks.free.append(try place(&reader))
        case 20: egress.elements.append(try element(&reader, JobState.init))
        case 21: egress.free.append(try place(&reader))
        case 22: ingress.elements.append(try element(&reader, JobState.init))
        case 23: ingress.free.append(try place(&reader))
        case 32: agentJobs.elements.append(try element(&reader, JobState.init))
        case 33: agentJobs.free.append(try place(&reader))
        default: return false
        }
        return true
    }

    private func element<Element>(
        _ reader: inout MessageReader, _ read: (inout MessageReader) throws(MessageFault) -> Element
    ) throws(MessageFault) -> Element {
        var nested = try reader.message()
        return try read(&nested)
    }

    private func place(_ reader: inout MessageReader) throws(MessageFault) -> Int32 {
        Int32(try reader.index()) - 1
    }

    private static func numbers(
        _ message: consuming MessageReader
    ) throws(MessageFault) -> (first: UInt64, next: UInt64) {
        var reader = message
        var numbers = (first: 0 as UInt64, next: 0 as UInt64)
        while let field = try reader.next() {
            switch field {
            case 1: numbers.first = try reader.uint64()
            case 2: numbers.next = try reader.uint64()
            default: try reader.skip()
            }
        }
        return numbers
    }
}

extension RoomNameCheck {
    func encode(into writer: inout MessageWriter) {
        writer.field(1, name)
        writer.field(2, number)
        writer.field(3, due_ms)
    }

    fileprivate init(_ message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        var name = Slot<RoomNameState>.none
        var number: UInt64 = 0
        var due_ms: Int64 = 0
        while let field = try reader.next() {
            switch field {
            case 1: name = try reader.slot()
            case 2: number = try reader.uint64()
            case 3: due_ms = try reader.int64()
            default: try reader.skip()
            }
        }
        self.init(name: name, number: number, due_ms: due_ms)
    }
}

extension WaitingRooms.Waiter {
    func encode(into writer: inout MessageWriter) {
        writer.field(1, name)
        writer.field(2, number)
        writer.field(3, since_ms)
        for waitingEvent in events {
            writer.message(4) { writer in
                writer.field(1, waitingEvent.receivedAt.milliseconds)
                writer.message(2) { waitingEvent.event.encode(into: &$0) }
                writer.field(3, waitingEvent.isRecovered)
            }
        }
    }

    fileprivate init(_ message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        while let field = try reader.next() {
            switch field {
            case 1: name = try reader.slot()
            case 2: number = try reader.uint64()
            case 3: since_ms = try reader.int64()
            case 4: events.append(try Self.waitingEvent(reader.message()))
            default: try reader.skip()
            }
        }
    }

    private static func waitingEvent(
        _ message: consuming MessageReader
    ) throws(MessageFault) -> WaitingRooms.WaitingEvent {
        var reader = message
        var receivedAt = Timestamp(milliseconds: 0)
        var event = Event(body: .other)
        var isRecovered = false
        while let field = try reader.next() {
            switch field {
            case 1: receivedAt = Timestamp(milliseconds: try reader.int64())
            case 2:
                var nested = try reader.message()
                event = try Event(from: &nested)
            case 3: isRecovered = try reader.bool()
            default: try reader.skip()
            }
        }
        return WaitingRooms.WaitingEvent(event: event, receivedAt: receivedAt, isRecovered: isRecovered)
    }
}
