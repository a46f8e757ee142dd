import Synchronization

/// The counts of a server since its start, for its metrics.
package struct ServingStatistics: Sendable, Equatable {
    /// Open now.
    package var connections = 0
    package var connectionsAccepted = 0
    /// Closed because the header was not complete in time.
    package var headerTimeouts = 0
    /// Closed because the body was not complete in time.
    package var requestTimeouts = 0
    /// Closed because the client did not take the response in time.
    package var answerTimeouts = 0
    /// Closed because no request came for too long.
    package var idleTimeouts = 0
    /// Closed in favour of a newer connection at `maxConnections`.
    package var evicted = 0
    /// Not accepted at `maxConnections`, because every open connection was owed a response.
    package var refused = 0
    /// Failures to accept a connection because the process had no descriptor left.
    package var descriptorShortages = 0
    /// Ended before the request was complete, and not by a limit: the client left, or it sent no valid request or too
    /// large a header.
    package var incomplete = 0
}

/// The running counters behind these counts. Relaxed order is enough: they order nothing.
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
