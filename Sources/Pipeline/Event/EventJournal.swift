package import HTTPServing

/// The way of events to a place where they are durable. Its calls never wait.
package protocol EventJournal: Sendable {
    /// Queues an event; `request` is answered when the event is durable. False while events cannot be taken.
    func add(_ event: AcceptedEvent, _ request: PendingResponse) -> Bool

    /// Notes that no event follows.
    func close()
}
