import Platform

/// The order in which connections are evicted when all are used and a new one comes.
///
/// Stuck connections come first, the oldest first: an incomplete request, or a response that its client does not take.
/// Idle connections follow, the longest idle first. Requests that have just begun come last, the oldest first. Without
/// this grace, strangers who hold all connections idle would leave one place for all new connections, which would evict
/// each other. A connection that waits for its response is never evicted.
///
/// One look at all connections serves many new ones, because thousands may come in a moment. The order stays right
/// meanwhile: what begins later is younger than everything in the list, and a connection that has changed is skipped.
struct EvictionOrder {
    private struct Candidate {
        let connection: Connection
        let since: MonotonicTime
    }

    /// Incomplete requests and responses that are being sent; the oldest is the last element.
    private var busy: [Candidate] = []
    /// Idle connections; the longest idle is the last element.
    private var idle: [Candidate] = []
    /// The time before which another look at all connections is not worth its cost.
    private var restUntil = MonotonicTime(nanoseconds: 0)

    /// Returns the connection to evict; nil if there is none.
    mutating func next(among connections: [Int32: Connection], now: MonotonicTime) -> Connection? {
        if let stuck = takeStuck(connections, now) { return stuck }
        if (busy.isEmpty || idle.isEmpty) && now >= restUntil {
            look(at: connections, now)
            if let stuck = takeStuck(connections, now) { return stuck }
        }
        while let candidate = idle.popLast() {
            if Self.isUnchanged(candidate, connections) { return candidate.connection }
        }
        while let candidate = busy.popLast() {
            let isAnswer = candidate.connection.phase.0 == .answering
            if !isAnswer && Self.isUnchanged(candidate, connections) { return candidate.connection }
        }
        return nil
    }

    /// Takes the oldest busy connection, if it has been busy for too long.
    private mutating func takeStuck(_ connections: [Int32: Connection], _ now: MonotonicTime) -> Connection? {
        while let oldest = busy.last {
            guard Self.isUnchanged(oldest, connections) else {
                busy.removeLast()
                continue
            }
            guard now.since(oldest.since) >= Limits.stuck else { return nil }
            busy.removeLast()
            return oldest.connection
        }
        return nil
    }

    private static func isUnchanged(_ candidate: Candidate, _ connections: [Int32: Connection]) -> Bool {
        let connection = candidate.connection
        guard !connection.isCut, connections[connection.socket] === connection else { return false }
        let (phase, since) = connection.phase
        return phase != .waiting && since == candidate.since
    }

    private mutating func look(at connections: [Int32: Connection], _ now: MonotonicTime) {
        restUntil = now + Limits.evictionOrderRest * connections.count
        busy.removeAll(keepingCapacity: true)
        idle.removeAll(keepingCapacity: true)
        for connection in connections.values where !connection.isCut {
            let (phase, since) = connection.phase
            switch phase {
            case .header, .body, .answering: busy.append(Candidate(connection: connection, since: since))
            case .idle: idle.append(Candidate(connection: connection, since: since))
            case .waiting: break
            }
        }
        busy.sort { $0.since > $1.since }
        idle.sort { $0.since > $1.since }
    }
}
