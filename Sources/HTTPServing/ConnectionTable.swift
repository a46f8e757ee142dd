import Glibc
import Platform

/// The open connections, by socket. Any thread; a connection is in it from its acceptance until its socket is closed.
///
/// It keeps the promise of the maximum: whoever comes when all are used takes the place of the one worth least.
final class ConnectionTable: Sendable {
    private struct State {
        var connections: [Int32: Connection] = [:]
        /// Of these, the ones that were ended by us and only wait for the poll thread to notice.
        var cut = 0
        var evictionOrder = EvictionOrder()
        var isClosed = false

        var live: Int { connections.count - cut }
    }

    /// What became of a newcomer.
    enum Admission: Equatable {
        case admitted
        /// It has the place of another, which was cut.
        case displacing
        /// Every other connection is owed an answer.
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

    /// Waits until a newcomer would be at most `Limits.spareConnections` above the maximum, so that descriptors stay bounded
    /// however slowly the poll thread closes what was cut. False once the table was closed.
    func waitForRoom() -> Bool {
        state.wait(until: nil) { state in
            if state.isClosed { return false }
            return state.connections.count < maximum + spare ? true : nil
        } ?? false
    }

    /// Waits until a connection has gone, or the table was closed.
    func waitForDeparture(until deadline: MonotonicTime) {
        let count = count
        state.wait(until: deadline) { $0.isClosed || $0.connections.count < count ? () : nil }
    }

    /// Enters a newcomer, in place of another where all are used; a refused one is not entered.
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

    /// Cuts the connection that is worth least; false where there is none.
    func cutWorst(now: MonotonicTime) -> Bool { state.withLock { Self.cutWorst(&$0, now) } }

    /// Lets the acceptor go.
    func close() { state.change { $0.isClosed = true } }

    // MARK: Others

    /// The connection of an open socket.
    subscript(socket: Int32) -> Connection? { state.withLock { $0.connections[socket] } }

    /// Returns whether it had been cut.
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

    /// Calls `body` for each under the lock: it may cut a connection, and must not call the HTTP library.
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
