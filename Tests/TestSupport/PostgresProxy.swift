package import Platform

/// A proxy between libpq and a server on loopback. It knows where messages begin, so that a fault comes at an exact step of
/// a client. https://www.postgresql.org/docs/15/protocol-message-formats.html
package final class PostgresProxy: Sendable {
    /// The fate of a message that makes the server work, and of its connection.
    package enum Fault: Sendable, Equatable {
        /// The server does not get it. The connection is cut.
        case before
        /// The server gets it. The client learns nothing any more.
        case after
        /// The client is cut when it has sent everything. The server gets that later, at `release`.
        case late
        /// The server gets nothing more. Nobody is cut.
        case silence
    }

    private struct State {
        /// The messages to come until the fault; nil where there is none.
        var left: Int?
        var fault = Fault.before
        /// Type of the messages that are counted; nil for all that make the server work.
        var type: UInt8?
        var size_bytes = 0
        var isReleased = false
        /// The server has ended a connection whose messages were held back.
        var isDone = false
        var sockets: [LoopbackSocket] = []
        var threads: [NamedThread] = []
        var isOver = false
    }

    private let state: Monitor<State>
    private let listener: LoopbackSocket
    private let acceptor: NamedThread

    /// Listens on a free port, for a server on another port.
    package init(to server: UInt16) throws(SystemError) {
        let (state, listener) = (Monitor(State()), try LoopbackSocket.listening())
        self.state = state
        self.listener = listener
        acceptor = NamedThread(name: "pg-proxy") {
            while let client = listener.accepted() { Self.serve(client, server, state) }
        }
    }

    deinit {
        listener.shutdown()
        acceptor.join()
        state.change { state in
            state.isOver = true
            for socket in state.sockets { socket.shutdown() }
        }
        for thread in state.withLock({ $0.threads }) { thread.join() }
    }

    /// The port that clients connect to.
    package var port: UInt16 { listener.port }

    /// Plans a fault at a message, counted from 1 from now on, over all connections. The messages that count prepare,
    /// execute, or end a group; with `type` those of this type alone, with `size_bytes` those that are as large.
    package func plan(_ fault: Fault, atMessage number: Int, type: Character? = nil, size_bytes: Int = 0) {
        state.change { state in
            (state.left, state.fault, state.type, state.size_bytes) = (number, fault, type?.asciiValue, size_bytes)
        }
    }

    /// Forgets the fault. Returns false where it came already.
    @discardableResult
    package func cancel() -> Bool {
        state.change { state in
            defer { state.left = nil }
            return state.left != nil
        }
    }

    /// The planned fault is still to come.
    package var isPlanned: Bool { state.withLock { $0.left != nil } }

    /// Gives the server what a `late` fault held back.
    package func release() { state.change { $0.isReleased = true } }

    /// The server did what a `late` fault held back, as far as it accepted it.
    package var isDone: Bool { state.withLock { $0.isDone } }

    // MARK: Connections

    private static func serve(_ client: LoopbackSocket, _ server: UInt16, _ state: Monitor<State>) {
        guard let upstream = try? LoopbackSocket.connected(to: server) else { return }
        let up = NamedThread(name: "pg-proxy-up") {
            pass(client, upstream, state)
            client.shutdown()
        }
        let down = NamedThread(name: "pg-proxy-down") {
            while true {
                let bytes = upstream.read()
                if bytes.isEmpty { break }
                // Bytes that a client which was cut does not take are read all the same, so that the server goes on.
                _ = client.write(bytes)
            }
            client.shutdown()
            upstream.shutdown()
            state.change { $0.isDone = $0.isReleased }
        }
        state.change { state in
            state.sockets += [client, upstream]
            state.threads += [up, down]
            if state.isOver { for socket in [client, upstream] { socket.shutdown() } }
        }
    }

    /// `X`, the message that ends a connection, behind `S`, which ends a group.
    private static let farewell: [UInt8] = [0x53, 0, 0, 0, 4, 0x58, 0, 0, 0, 4]

    /// Passes messages to the server until either side ends.
    private static func pass(_ client: LoopbackSocket, _ server: LoopbackSocket, _ state: Monitor<State>) {
        var buffer: [UInt8] = []
        var isStarted = false
        while true {
            let bytes = client.read()
            guard !bytes.isEmpty else { return server.shutdown() }
            buffer += bytes
            // Bytes that arrived together go on together: many small writes would each wait for the one before.
            var passed: [UInt8] = []
            while let size = size(of: buffer, isStarted: isStarted), buffer.count >= size {
                let message = Array(buffer[..<size])
                let isRequest = isStarted ? false : message.count == 8
                let fault = isStarted ? fault(at: message, state) : nil
                if fault != nil { _ = server.write(passed) }
                switch fault {
                case nil: passed += message
                case .before: return server.shutdown()
                case .after:
                    client.shutdown()
                    _ = server.write(message + farewell)
                    return
                case .late: return holdBack(buffer, client, server, state)
                case .silence:
                    client.waitForEnd()
                    return server.shutdown()
                }
                // A client first asks for encryption, with eight bytes, and then begins in any case.
                if !isRequest { isStarted = true }
                buffer.removeFirst(size)
            }
            if !server.write(passed) { return }
        }
    }

    /// Takes messages up to the end of their group, cuts the client, and gives the server all of it when it is told to.
    private static func holdBack(
        _ bytes: [UInt8], _ client: LoopbackSocket, _ server: LoopbackSocket, _ state: Monitor<State>
    ) {
        var held = bytes
        while !held.suffix(5).elementsEqual(farewell[..<5]) {
            let more = client.read()
            if more.isEmpty { break }
            held += more
        }
        client.shutdown()
        let isGoing = state.wait(until: nil) { state -> Bool? in
            state.isReleased ? true : state.isOver ? false : nil
        }
        if isGoing == true { _ = server.write(held + farewell) } else { server.shutdown() }
    }

    /// The size of the first message; nil while it is not known.
    private static func size(of bytes: [UInt8], isStarted: Bool) -> Int? {
        let start = isStarted ? 1 : 0
        guard bytes.count >= start + 4 else { return nil }
        return start + bytes[start..<(start + 4)].reduce(0) { $0 << 8 | Int($1) }
    }

    /// `P`, `E`, `Q` and `S`: prepare, execute, a script, the end of a group.
    private static let counted = Set("PEQS".utf8)

    private static func fault(at message: [UInt8], _ state: Monitor<State>) -> Fault? {
        state.change { state in
            guard let left = state.left, message.count >= state.size_bytes,
                state.type.map({ $0 == message[0] }) ?? counted.contains(message[0])
            else { return nil }
            state.left = left > 1 ? left - 1 : nil
            return left == 1 ? state.fault : nil
        }
    }
}
