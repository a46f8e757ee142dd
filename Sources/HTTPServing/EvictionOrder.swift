import Platform

/// Who makes room for a newcomer when all connections are used.
///
/// First what is stuck, oldest first: an incomplete request, or an answer that its client does not take. Then what is
/// idle, longest first. Last a request that has just begun, oldest first: without this grace, strangers who hold all
/// connections idle would leave newcomers one place to push each other out of. Who waits for an answer is never chosen.
///
/// One look at all connections serves many newcomers, for thousands may come in a moment. The order stays right
/// meanwhile: what begins later is younger than all that is listed, and what has changed is passed over.
struct EvictionOrder {
    private struct Candidate {
        let connection: Connection
        let since: MonotonicTime
    }

    /// Incomplete requests and answers on their way; the oldest last.
    private var busy: [Candidate] = []
    /// The longest last.
    private var idle: [Candidate] = []
    /// Another look is not worth its time before.
    private var restUntil = MonotonicTime(nanoseconds: 0)

    /// The connection to cut; nil where none may be.
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

    /// The oldest that is busy, if it has been for too long.
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
