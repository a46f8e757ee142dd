import HTTPServing
import Journal
import LiveKit
import Wire

/// Events that wait for one commit, in order, with the requests that they came in.
struct Arrivals: Sendable {
    struct Waiting: Sendable {
        let pending: PendingResponse
        let answers: WebhookIntake.Answers
    }

    private(set) var events: [AcceptedEvent] = []
    private(set) var waiting: [Waiting] = []
    /// The events as the journal keeps them.
    private(set) var entries = Group()

    var count: Int { events.count }
    var isEmpty: Bool { events.isEmpty }

    mutating func append(_ event: AcceptedEvent, _ pending: PendingResponse, _ answers: WebhookIntake.Answers) {
        events.append(event)
        waiting.append(Waiting(pending: pending, answers: answers))
        entries.append { event.encode(into: &$0) }
    }

    /// Empties it, and keeps the memory.
    mutating func removeAll() {
        events.removeAll(keepingCapacity: true)
        waiting.removeAll(keepingCapacity: true)
        entries.removeAll()
    }
}

extension AcceptedEvent {
    /// The entry of the journal's table `events`.
    func encode(into writer: inout MessageWriter) {
        writer.field(1, receivedAt.milliseconds)
        writer.message(2) { event.encode(into: &$0) }
    }

    init(from reader: inout MessageReader) throws(MessageFault) {
        var receivedAt_ms: Int64 = 0
        var event: Event?
        while let field = try reader.next() {
            switch field {
            case 1: receivedAt_ms = try reader.int64()
            case 2:
                var message = try reader.message()
                event = try Event(from: &message)
            default: try reader.skip()
            }
        }
        guard let event else { throw MessageFault("an entry without an event") }
        self.init(event: event, receivedAt: Timestamp(milliseconds: receivedAt_ms))
    }
}
