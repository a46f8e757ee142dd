package import Platform

/// A small HTTP/1.1 server on loopback with scripted answers. It records the requests.
///
/// There is one thread per connection. All of them end with `stop`, at the latest when the object goes.
package final class ScriptedReceiver: Sendable {
    /// The answer to one request.
    package struct Answer: Sendable {
        package enum Behaviour: Sendable, Equatable {
            /// Sends the answer.
            case respond
            /// Never answers. Holds the connection until the client or the test ends it.
            case hang
            /// Resets the connection after the request was read.
            case reset
            /// Closes the connection after the request was read.
            case close
            /// Sends a head, and then body bytes until the client is gone.
            case endlessBody
            /// Sends a head that promises more body than comes, and holds the connection.
            case stuckBody
            /// Sends a head that promises more body than comes, and closes the connection.
            case cutBody
            /// Sends bytes that are no HTTP, and closes the connection.
            case noHTTP
            /// Stores the samples, and closes the connection without an answer: the answer is lost.
            case loseAnswer
        }

        package var status = 204
        package var headers: [String: String] = [:]
        package var body: [UInt8] = []
        package var delay = Duration.zero
        package var behaviour = Behaviour.respond
        /// Set if a 2xx to a body of 2.0 carries the headers that say what was written, as the receiver's `Dialect` has
        /// it.
        package var tellsWritten = true

        package init(
            _ status: Int = 204, headers: [String: String] = [:], body: String = "", delay: Duration = .zero,
            behaviour: Behaviour = .respond, tellsWritten: Bool = true
        ) {
            self.status = status
            self.headers = headers
            self.body = Array(body.utf8)
            self.delay = delay
            self.behaviour = behaviour
            self.tellsWritten = tellsWritten
        }

        package static let hang = Answer(behaviour: .hang)
        package static let reset = Answer(behaviour: .reset)
        package static let close = Answer(behaviour: .close)
        package static let lost = Answer(behaviour: .loseAnswer)
    }

    /// A request that arrived completely.
    package struct Recorded: Sendable {
        package let method: String
        package let target: String
        /// Names in lower case.
        package let headers: [String: String]
        package let body: [UInt8]
        package let at: MonotonicTime
        /// The number of its connection, from 0.
        package let connection: Int
        /// The answer that was given: the one of the script, or what the receiver's dialect made of it.
        package let answer: Answer
        /// True if the receiver read the body and stored what it says.
        package let isRead: Bool
        /// True if it was answered in full. It is set right before the answer is written.
        package var wasAnswered = false

        /// The message that the headers name.
        package var version: WriteRequest.Version { .init(contentType: headers["content-type"]) }

        /// True if the sender knows that the samples are stored.
        package var isAccepted: Bool { isRead && wasAnswered }

        /// Decodes the body.
        package func decoded() throws(WriteRequest.RequestFault) -> WriteRequest {
            try WriteRequest(compressed: body, version)
        }
    }

    private struct State {
        var script: [Answer] = []
        var otherwise = Answer()
        var exceptions: [(answer: Answer, condition: @Sendable ([UInt8]) -> Bool)] = []
        var requests: [Recorded] = []
        var dialect = Dialect.both
        var store: SampleStore?
        var observer: (@Sendable (Recorded) -> Void)?
        var connections: [Int: LoopbackSocket] = [:]
        var connectionCount = 0
        var threads: [NamedThread] = []
        var isStopped = false
    }

    private let listener: LoopbackSocket
    private let time = SystemTime()
    private let monitor = Monitor(State())
    package let port: UInt16

    /// - Parameters:
    ///   - host: the last number of its address, 127.0.0.1 or another one of loopback.
    ///   - script: the answers to the first requests, in the order in which they arrive.
    ///   - otherwise: the answer to all others.
    ///   - dialect: the messages that it reads. It changes answers of 2xx, and leaves all others as they are.
    ///   - judges: keeps samples, and refuses as Prometheus does those that do not follow.
    ///   - store: what it holds from the beginning, if it judges.
    package init(
        port: UInt16 = 0, host: UInt8 = 1, script: [Answer] = [], otherwise: Answer = Answer(),
        dialect: Dialect = .both, judges: Bool = false, after store: SampleStore = SampleStore()
    ) throws(SystemError) {
        listener = try LoopbackSocket.listening(port: port, host: host)
        self.port = listener.port
        monitor.change { state in
            state.script = script
            state.otherwise = otherwise
            state.dialect = dialect
            if judges { state.store = store }
        }
        let acceptor = NamedThread(name: "receiver") { [listener, monitor, time] in
            while let socket = listener.accepted() {
                let number: Int? = monitor.change { state in
                    if state.isStopped { return nil }
                    let number = state.connectionCount
                    state.connectionCount += 1
                    state.connections[number] = socket
                    return number
                }
                guard let number else { return }
                let thread = NamedThread(name: "receiver-\(number)") {
                    Self.serve(socket, number, monitor, time)
                    monitor.change { $0.connections[number] = nil }
                }
                monitor.change { $0.threads.append(thread) }
            }
        }
        monitor.change { $0.threads.insert(acceptor, at: 0) }
    }

    deinit { stop() }

    package var url: String { "http://127.0.0.1:\(port)/api/v1/write" }

    /// All requests so far, in the order in which they arrived.
    package var requests: [Recorded] { monitor.withLock { $0.requests } }

    /// Changes the messages that it reads, as an upgrade does.
    package func speak(_ dialect: Dialect) { monitor.change { $0.dialect = dialect } }

    /// What it stores, if it judges.
    package var store: SampleStore { monitor.withLock { $0.store ?? SampleStore() } }

    /// Has a closure called with each request before it is answered, on the thread of its connection.
    package func observe(_ body: @escaping @Sendable (Recorded) -> Void) { monitor.change { $0.observer = body } }

    /// The number of connections that were ever accepted.
    package var connectionCount: Int { monitor.withLock { $0.connectionCount } }

    /// Adds answers to the script.
    package func enqueue(_ answers: [Answer]) { monitor.change { $0.script.append(contentsOf: answers) } }

    /// Changes the answer to all requests that the script does not cover.
    package func answer(_ otherwise: Answer) { monitor.change { $0.otherwise = otherwise } }

    /// Gives this answer to the next request whose body meets the condition, whatever the script says.
    package func answerOnce(_ answer: Answer, to condition: @escaping @Sendable ([UInt8]) -> Bool) {
        monitor.change { $0.exceptions.append((answer, condition)) }
    }

    /// Waits until `condition` holds for the requests. Returns false if it never does.
    package func wait(until condition: ([Recorded]) -> Bool) -> Bool {
        monitor.wait(until: Waits.end) { condition($0.requests) ? true : nil } ?? false
    }

    /// Waits until this many requests are answered.
    package func waitForAnswers(_ count: Int) -> Bool {
        wait { $0.count { $0.wasAnswered } >= count }
    }

    /// Refuses new connections and ends the others. It may be called twice.
    package func stop() {
        listener.shutdown()
        let threads: [NamedThread] = monitor.change { state in
            state.isStopped = true
            for socket in state.connections.values { socket.shutdown() }
            let threads = state.threads
            state.threads = []
            return threads
        }
        for thread in threads { thread.join() }
        // A connection that was accepted meanwhile has noticed the end. Its thread is in the list by now.
        let late: [NamedThread] = monitor.change { state in
            defer { state.threads = [] }
            return state.threads
        }
        for thread in late { thread.join() }
    }

    // MARK: One connection

    private static func serve(
        _ socket: LoopbackSocket, _ connection: Int, _ monitor: Monitor<State>, _ time: SystemTime
    ) {
        var input: [UInt8] = []
        while let message = HTTPMessage.read(from: socket, buffer: &input) {
            let words = message.startLine.split(separator: " ")
            let reader = Reader(message)
            let (index, request, observer) = monitor.change { state in
                let scripted =
                    if let index = state.exceptions.firstIndex(where: { $0.condition(message.body) }) {
                        state.exceptions.remove(at: index).answer
                    } else {
                        state.script.isEmpty ? state.otherwise : state.script.removeFirst()
                    }
                let (answer, isRead) = reader.answer(scripted, state.dialect, &state.store)
                let request = Recorded(
                    method: words.first.map(String.init) ?? "", target: words.count > 1 ? String(words[1]) : "",
                    headers: message.headers, body: message.body, at: time.monotonic(), connection: connection,
                    answer: answer, isRead: isRead)
                state.requests.append(request)
                return (state.requests.count - 1, request, state.observer)
            }
            observer?(request)
            let answer = request.answer
            if answer.delay > .zero {
                let isOver: Bool? = monitor.wait(until: time.monotonic() + answer.delay) {
                    $0.isStopped ? true : nil
                }
                if isOver == true { return }
            }
            // The flag is set first: a client that has the answer must find it set.
            if answer.behaviour == .respond { monitor.change { $0.requests[index].wasAnswered = true } }
            guard perform(answer, on: socket) else {
                monitor.change { $0.requests[index].wasAnswered = false }
                return
            }
        }
    }

    /// Returns true if the connection goes on.
    private static func perform(_ answer: Answer, on socket: LoopbackSocket) -> Bool {
        var head = "HTTP/1.1 \(answer.status) Scripted\r\n"
        for (name, value) in answer.headers { head += "\(name): \(value)\r\n" }
        switch answer.behaviour {
        case .respond:
            if answer.status != 204 { head += "Content-Length: \(answer.body.count)\r\n" }
            return socket.write(Array("\(head)\r\n".utf8) + (answer.status == 204 ? [] : answer.body))
        case .hang:
            socket.waitForEnd()
        case .reset:
            socket.resetWhenClosed()
        case .close, .loseAnswer:
            socket.shutdown()
        case .noHTTP:
            _ = socket.write(Array("this is not HTTP\r\n\r\n".utf8))
            socket.shutdown()
        case .cutBody:
            _ = socket.write(Array("\(head)Content-Length: 1000\r\n\r\nbegun".utf8))
            socket.shutdown()
        case .endlessBody:
            let chunk = [UInt8](repeating: UInt8(ascii: "x"), count: 16_384)
            guard socket.write(Array("\(head)Content-Length: 10000000000\r\n\r\n".utf8)) else { return false }
            while socket.write(chunk) {}
        case .stuckBody:
            _ = socket.write(Array("\(head)Content-Length: 1000\r\n\r\nbegun".utf8))
            socket.waitForEnd()
        }
        return false
    }
}
