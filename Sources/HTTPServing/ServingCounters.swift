import Synchronization

/// What a server counted since it started, for the owner of the metrics.
package struct ServingStatistics: Sendable, Equatable {
    /// Open now.
    package var connections = 0
    package var connectionsAccepted = 0
    /// Closed because the header was not complete in time.
    package var headerTimeouts = 0
    /// Closed because the body was not complete in time.
    package var requestTimeouts = 0
    /// Closed because the client did not take its answer in time.
    package var answerTimeouts = 0
    /// Closed because no request came for too long.
    package var idleTimeouts = 0
    /// Closed in favour of a newer connection at `maxConnections`.
    package var evicted = 0
    /// Not taken at `maxConnections`, because every open connection was owed an answer.
    package var refused = 0
    /// Times that the process had no descriptor for a connection.
    package var descriptorShortages = 0
    /// Ended before the request was complete, and not by a limit: the client left, or what it sent was no request or
    /// had too large a header.
    package var incomplete = 0
}

/// The same, while it counts. Relaxed: the numbers order nothing.
final class ServingCounters: Sendable {
    let accepted = Atomic(0)
    let headerTimeouts = Atomic(0)
    let requestTimeouts = Atomic(0)
    let answerTimeouts = Atomic(0)
    let idleTimeouts = Atomic(0)
    let evicted = Atomic(0)
    let refused = Atomic(0)
    let descriptorShortages = Atomic(0)
    let incomplete = Atomic(0)

    func statistics(connections: Int) -> ServingStatistics {
        ServingStatistics(
            connections: connections, connectionsAccepted: accepted.load(ordering: .relaxed),
            headerTimeouts: headerTimeouts.load(ordering: .relaxed),
            requestTimeouts: requestTimeouts.load(ordering: .relaxed),
            answerTimeouts: answerTimeouts.load(ordering: .relaxed),
            idleTimeouts: idleTimeouts.load(ordering: .relaxed), evicted: evicted.load(ordering: .relaxed),
            refused: refused.load(ordering: .relaxed),
            descriptorShortages: descriptorShortages.load(ordering: .relaxed),
            incomplete: incomplete.load(ordering: .relaxed))
    }
}
