import Platform
import Synchronization

/// The open connections, by socket. Any thread; a connection is in it exactly as long as its socket is open.
final class ConnectionTable: Sendable {
    private let connections = Mutex<[Int32: Connection]>([:])

    var count: Int { connections.withLock { $0.count } }

    func add(_ connection: Connection) -> Int {
        connections.withLock { connections in
            connections[connection.socket] = connection
            return connections.count
        }
    }

    func remove(_ connection: Connection) {
        _ = connections.withLock { $0.removeValue(forKey: connection.socket) }
    }

    func cut(_ connection: Connection) { connections.withLock { _ in connection.cut() } }

    /// Calls `body` for each under the lock: it may cut a connection, and must not call the HTTP library.
    func forEach(_ body: (Connection) -> Void) {
        connections.withLock { connections in
            for connection in connections.values { body(connection) }
        }
    }

    /// Cuts the connection that is worth least: the oldest incomplete request, else the one idle for longest. One that
    /// is owed an answer is never cut; false where there is no other.
    func cutOldest(sparing newcomer: Connection) -> Bool {
        connections.withLock { connections in
            var oldest: (isIdle: Bool, since: MonotonicTime, connection: Connection)?
            for connection in connections.values where connection !== newcomer && !connection.isCut {
                let (phase, since) = connection.phase
                guard phase == .header || phase == .body || phase == .idle else { continue }
                let isIdle = phase == .idle
                if let known = oldest {
                    if isIdle && !known.isIdle { continue }
                    if isIdle == known.isIdle && since >= known.since { continue }
                }
                oldest = (isIdle, since, connection)
            }
            oldest?.connection.cut()
            return oldest != nil
        }
    }
}
