import Platform
import Wire

/// Requests that wait for the address of the host that they connect to, in the order of their start.
///
/// It is a machine: times are parameters.
struct WaitingRequests {
    enum Limits {
        /// The time that a search gets if an earlier one found addresses. With a name server that works, a host that
        /// has moved is found within it; without one, requests go on with it.
        static let patience = Duration.seconds(1)
    }

    struct Waiting {
        let id: RequestID
        let request: Request
        let peer: Peer
        let proxy: Proxies.Proxy?
        let startedAt: MonotonicTime
        let lookup: AddressLookup
        /// The time at which the request fails if its host has no address by then.
        let giveUpAt: MonotonicTime
    }

    /// A request whose wait is over.
    enum Settled {
        case connect(Waiting, to: [String])
        case failed(Waiting, text: String)
    }

    private var all: [Waiting] = []

    var count: Int { all.count }

    mutating func append(_ waiting: Waiting) { all.append(waiting) }

    /// Returns false if the request does not wait.
    mutating func remove(_ id: RequestID) -> Bool {
        guard let index = all.firstIndex(where: { $0.id == id }) else { return false }
        all.remove(at: index)
        return true
    }

    /// Takes out the requests whose wait is over.
    mutating func settle(at now: MonotonicTime, into settled: inout [Settled]) {
        // Almost always nothing waits.
        if all.isEmpty { return }
        all.removeAll { waiting in
            guard let end = Self.end(of: waiting, at: now) else { return false }
            settled.append(end)
            return true
        }
    }

    /// The time at which the wait of some request ends, whatever its search does. Nil if nothing waits.
    var nextDeadline: MonotonicTime? {
        all.map { $0.lookup.former == nil ? $0.giveUpAt : min($0.giveUpAt, Self.turnsBackAt($0)) }.min()
    }

    private static func turnsBackAt(_ waiting: Waiting) -> MonotonicTime {
        waiting.lookup.startedAt + Limits.patience
    }

    private static func end(of waiting: Waiting, at now: MonotonicTime) -> Settled? {
        let former = waiting.lookup.former
        switch waiting.lookup.outcome {
        case .found(let addresses): return .connect(waiting, to: addresses)
        case .failed(let reason):
            if let former { return .connect(waiting, to: former) }
            return .failed(waiting, text: reason)
        case nil:
            if let former, now >= turnsBackAt(waiting) { return .connect(waiting, to: former) }
            guard now >= waiting.giveUpAt else { return nil }
            let waited = now.since(waiting.startedAt).milliseconds
            return .failed(waiting, text: "no name server has answered within \(waited) ms")
        }
    }
}
