package import Platform

/// A proxy between a client and a server on loopback. It can be slow, silent, or gone.
package final class StallingProxy: Sendable {
    /// The way in which the proxy treats connections.
    package enum Mode: Sendable, Equatable {
        /// Bytes are passed on, each piece after a delay.
        case passing(delay: Duration)
        /// Bytes wait, in both directions. Connections are accepted.
        case stalled
        /// Connections are cut, and new ones are cut at once.
        case cut
    }

    private struct State {
        var mode = Mode.passing(delay: .zero)
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
        acceptor = NamedThread(name: "proxy") {
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

    /// Changes the mode from now on.
    package func change(to mode: Mode) {
        state.change { state in
            state.mode = mode
            guard mode == .cut else { return }
            for socket in state.sockets { socket.shutdown() }
            state.sockets.removeAll()
        }
    }

    private static func serve(_ client: LoopbackSocket, _ server: UInt16, _ state: Monitor<State>) {
        // If the server refuses the connection, the client's connection is closed.
        guard state.withLock({ $0.mode }) != .cut, let upstream = try? LoopbackSocket.connected(to: server) else {
            return
        }
        let up = NamedThread(name: "proxy-up") { pump(client, upstream, state) }
        let down = NamedThread(name: "proxy-down") { pump(upstream, client, state) }
        state.change { state in
            state.sockets += [client, upstream]
            state.threads += [up, down]
            if state.isOver || state.mode == .cut {
                for socket in [client, upstream] { socket.shutdown() }
            }
        }
    }

    /// Passes bytes in one direction until either side ends.
    private static func pump(_ source: LoopbackSocket, _ target: LoopbackSocket, _ state: Monitor<State>) {
        while true {
            let bytes = source.read()
            guard !bytes.isEmpty else { break }
            let isGoing = state.wait(until: nil) { state -> Bool? in
                if state.isOver { return false }
                return state.mode == .stalled ? nil : true
            }
            if isGoing != true { break }
            if case .passing(let delay) = state.withLock({ $0.mode }), delay > .zero {
                _ = state.wait(until: SystemTime().monotonic() + delay) { $0.isOver ? () : nil }
            }
            if !target.write(bytes) { break }
        }
        source.shutdown()
        target.shutdown()
    }
}
