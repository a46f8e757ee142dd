package import Platform

/// A gateway before a real receiver on loopback. It passes requests on until it is told to do something else.
package final class TroubleProxy: Sendable {
    /// What becomes of a request.
    package enum Condition: Sendable {
        case passing
        /// It is answered with this status and text.
        case answering(Int, String)
        /// It is never answered.
        case hanging
    }

    private struct State {
        var condition = Condition.passing
        var sockets: [Int: LoopbackSocket] = [:]
        var count = 0
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
        acceptor = NamedThread(name: "gateway") {
            while let client = listener.accepted() { Self.accept(client, server, state) }
        }
    }

    deinit {
        listener.shutdown()
        acceptor.join()
        state.change { state in
            state.isOver = true
            for socket in state.sockets.values { socket.shutdown() }
        }
        for thread in state.withLock({ $0.threads }) { thread.join() }
    }

    /// The address that lkpush pushes to.
    package var url: String { "http://127.0.0.1:\(listener.port)/api/v1/write" }

    /// Treats later requests in another way. Those that hang are cut off.
    package func change(to condition: Condition) {
        state.change { state in
            if case .hanging = state.condition { for socket in state.sockets.values { socket.shutdown() } }
            state.condition = condition
        }
    }

    private static func accept(_ client: LoopbackSocket, _ server: UInt16, _ state: Monitor<State>) {
        let number: Int? = state.change { state in
            guard !state.isOver else { return nil }
            state.count += 1
            state.sockets[state.count] = client
            return state.count
        }
        guard let number else { return }
        let thread = NamedThread(name: "gateway-\(number)") {
            serve(client, server, state)
            client.shutdown()
            state.change { $0.sockets[number] = nil }
        }
        state.change { $0.threads.append(thread) }
    }

    private static func serve(_ client: LoopbackSocket, _ server: UInt16, _ state: Monitor<State>) {
        var input: [UInt8] = []
        while let request = HTTPMessage.read(from: client, buffer: &input) {
            switch state.withLock({ $0.condition }) {
            case .passing: if !pass(request, from: client, to: server) { return }
            case .answering(let status, let text):
                let head = "HTTP/1.1 \(status) Trouble\r\nContent-Length: \(text.utf8.count)\r\n\r\n"
                if !client.write(Array((head + text).utf8)) { return }
            case .hanging: return client.waitForEnd()
            }
        }
    }

    /// Passes one exchange on. Returns false if the connection to the client is over.
    private static func pass(_ request: HTTPMessage, from client: LoopbackSocket, to server: UInt16) -> Bool {
        guard let upstream = try? LoopbackSocket.connected(to: server) else { return false }
        var head = "\(request.startLine)\r\nConnection: close\r\n"
        for (name, value) in request.headers where name != "connection" { head += "\(name): \(value)\r\n" }
        var buffer: [UInt8] = []
        guard upstream.write(Array((head + "\r\n").utf8) + request.body),
            let answer = HTTPMessage.read(from: upstream, buffer: &buffer)
        else { return false }
        head = "\(answer.startLine)\r\n"
        for (name, value) in answer.headers where name != "connection" && name != "content-length" {
            head += "\(name): \(value)\r\n"
        }
        // A 204 has neither body nor length. https://www.rfc-editor.org/rfc/rfc9110#name-content-length
        if !answer.startLine.contains(" 204") { head += "Content-Length: \(answer.body.count)\r\n" }
        return client.write(Array((head + "\r\n").utf8) + answer.body)
    }
}
