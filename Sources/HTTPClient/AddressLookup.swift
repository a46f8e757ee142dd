import Platform
import Synchronization

/// One search for the addresses of a host name, shared by all who ask while it is under way.
final class AddressLookup: Sendable {
    /// The end of a search.
    enum Outcome: Equatable {
        /// The addresses in the order in which they are tried; IPv6 ones in brackets.
        case found([String])
        /// The reason, in the words of the C library.
        case failed(String)
    }

    private struct State {
        var outcome: Outcome?
        var wakers: [Waker] = []
    }

    let host: String
    /// The addresses of an earlier search, for when this one fails or takes long. Nil if there are none, or only old
    /// ones.
    let former: [String]?
    let startedAt: MonotonicTime
    private let state = Mutex(State())

    init(_ host: String, former: [String]?, startedAt: MonotonicTime) {
        self.host = host
        self.former = former
        self.startedAt = startedAt
    }

    /// Nil while the search is under way.
    var outcome: Outcome? { state.withLock { $0.outcome } }

    var isOver: Bool { outcome != nil }

    var isFound: Bool { if case .found? = outcome { true } else { false } }

    /// Wakes the transport when the search ends. Returns true if it has ended: then nobody is woken.
    func notify(_ waker: Waker) -> Bool {
        state.withLock { state in
            if state.outcome != nil { return true }
            if !state.wakers.contains(where: { $0 === waker }) { state.wakers.append(waker) }
            return false
        }
    }

    /// Ends the search. Only the first call counts.
    func finish(_ outcome: Outcome) {
        let wakers = state.withLock { state -> [Waker] in
            guard state.outcome == nil else { return [] }
            state.outcome = outcome
            defer { state.wakers = [] }
            return state.wakers
        }
        for waker in wakers { waker.interrupt() }
    }
}
