import Glibc
import Platform

/// The open connections, by socket. A connection is in the table from its acceptance until its socket is closed. Any
/// thread may use it.
///
/// It enforces the maximum: if all connections are used, a new one evicts the one that is worth least.
final class ConnectionTable: Sendable {
    private struct State {
        var connections: [Int32: Connection] = [:]
        /// The number of connections that the server has shut down and the poll thread has not closed yet.
        var cut = 0
        var evictionOrder = EvictionOrder()
        var isClosed = false

        var live: Int { connections.count - cut }
    }

    /// The result of admitting a new connection.
    enum Admission: Equatable {
        case admitted
        /// It took the place of another one, which was shut down.
        case displacing
        /// Every other connection is owed a response.
        case refused
    }

    private let maximum: Int
    private let spare: Int
    private let state = Monitor(State())

    init(maximum: Int) {
        self.maximum = maximum
        spare = Limits.spareConnections(for: maximum)
    }

    var count: Int { state.withLock { $0.connections.count } }

    // MARK: Acceptor

    /// Waits until a new connection would be at most `Limits.spareConnections` above the maximum. So descriptors stay
    /// bounded, however slowly the poll thread closes evicted connections. Returns false once the table is closed.
    func waitForRoom() -> Bool {
        state.wait(until: nil) { state in
            if state.isClosed { return false }
            return state.connections.count < maximum + spare ? true : nil
        } ?? false
    }

    /// Waits until a connection is closed, or the table is.
    func waitForDeparture(until deadline: MonotonicTime) {
        let count = count
        state.wait(until: deadline) { $0.isClosed || $0.connections.count < count ? () : nil }
    }

    /// Adds a new connection. If all are used it evicts another one; if none may be evicted it refuses the new one.
    func admit(_ newcomer: Connection, now: MonotonicTime) -> Admission {
        state.withLock { state in
            var admission = Admission.admitted
            if state.live >= maximum {
                guard Self.cutWorst(&state, now) else { return .refused }
                admission = .displacing
            }
            state.connections[newcomer.socket] = newcomer
            return admission
        }
    }

    /// Shuts down the connection that is worth least. Returns false if there is none.
    func cutWorst(now: MonotonicTime) -> Bool { state.withLock { Self.cutWorst(&$0, now) } }

    /// Ends the waits of the acceptor.
    func close() { state.change { $0.isClosed = true } }

    // MARK: Others

    /// The connection of an open socket.
    subscript(socket: Int32) -> Connection? { state.withLock { $0.connections[socket] } }

    /// Removes a connection. Returns whether it had been shut down.
    @discardableResult
    func remove(_ connection: Connection) -> Bool {
        state.change { state in
            let isKnown = state.connections.removeValue(forKey: connection.socket) != nil
            if isKnown && connection.isCut { state.cut -= 1 }
            return connection.isCut
        }
    }

    func cut(_ connection: Connection) {
        state.withLock { state in
            if !connection.isCut { state.cut += 1 }
            connection.cut()
        }
    }

    /// Calls `body` for each connection under the lock. `body` may shut a connection down, and must not call the HTTP
    /// library.
    func forEach(_ body: (Connection) -> Void) {
        state.withLock { state in
            for connection in state.connections.values {
                let wasCut = connection.isCut
                body(connection)
                if connection.isCut && !wasCut { state.cut += 1 }
            }
        }
    }

    private static func cutWorst(_ state: inout State, _ now: MonotonicTime) -> Bool {
        guard let worst = state.evictionOrder.next(among: state.connections, now: now) else { return false }
        state.cut += 1
        worst.cut()
        return true
    }
}
