import HTTPServing
import Journal
import Recording

/// Events that wait for one commit, in order, with the requests that brought them.
struct UncommittedEvents: Sendable {
    private(set) var events: [AcceptedEvent] = []
    private(set) var requests: [PendingResponse] = []
    /// The events, encoded for the journal.
    var entries = Group(rules: Recorder.rules)

    var count: Int { events.count }
    var isEmpty: Bool { events.isEmpty }

    mutating func append(_ event: AcceptedEvent, _ request: PendingResponse) {
        events.append(event)
        requests.append(request)
        entries.append { event.encode(into: &$0) }
    }

    /// Moves the events and requests of `other` behind its own. The entries are not taken over, because these events
    /// are refused.
    mutating func take(_ other: inout UncommittedEvents) {
        events += other.events
        requests += other.requests
        other.removeAll()
    }

    /// Gives all requests their answer, because their events are committed.
    func accept(_ answers: WebhookAnswers) {
        for request in requests { request.complete(answers.accepted) }
    }

    /// Refuses all requests that have no answer yet. Their events are not kept.
    func refuse(_ refusal: WebhookRefusal, _ answers: WebhookAnswers) {
        for request in requests where request.claim() { request.respond(answers.refused(refusal)) }
    }

    /// Empties it and keeps the memory.
    mutating func removeAll() {
        events.removeAll(keepingCapacity: true)
        requests.removeAll(keepingCapacity: true)
        entries.restart(first: 1)
    }
}
