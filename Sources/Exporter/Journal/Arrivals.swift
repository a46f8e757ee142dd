import HTTPServing
import Journal
import LiveKit
import Recording
package import Wire

/// Events that wait for one commit, in order, with the requests that they came in.
struct Arrivals: Sendable {
    struct Waiting: Sendable {
        let pending: PendingResponse
        let answers: WebhookIntake.Answers
    }

    private(set) var events: [AcceptedEvent] = []
    private(set) var waiting: [Waiting] = []
    /// The events as the journal keeps them.
    var entries = Group(rules: Recorder.rules)

    var count: Int { events.count }
    var isEmpty: Bool { events.isEmpty }

    mutating func append(_ event: AcceptedEvent, _ pending: PendingResponse, _ answers: WebhookIntake.Answers) {
        events.append(event)
        waiting.append(Waiting(pending: pending, answers: answers))
        entries.append { event.encode(into: &$0) }
    }

    /// Takes those of another one behind its own; the entries are not needed any more.
    mutating func take(_ other: inout Arrivals) {
        events += other.events
        waiting += other.waiting
        other.removeAll()
    }

    /// Answers all requests: their events are durable.
    func accept() {
        for one in waiting { one.pending.complete(one.answers.accepted) }
    }

    /// Answers all requests: nothing became of their events.
    func refuse(_ refusal: WebhookRefusal) {
        for one in waiting where one.pending.claim() { one.pending.respond(one.answers.refused(refusal)) }
    }

    /// Empties it, and keeps the memory.
    mutating func removeAll() {
        events.removeAll(keepingCapacity: true)
        waiting.removeAll(keepingCapacity: true)
        entries.restart(first: 1)
    }
}

extension AcceptedEvent {
    /// The entry of the journal's table `events`.
    package func encode(into writer: inout MessageWriter) {
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
