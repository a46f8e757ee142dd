import HTTPServing
import Platform
import Status
import TestSupport

/// A server that answers as lkpush does, or as it does not.
final class StatusServer: Sendable {
    private struct State {
        var body: [UInt8]
        var status: UInt32 = 200
        var asked = 0
    }

    private let server: Server
    private let state: Monitor<State>

    init(_ document: StatusDocument, port: UInt16 = 0) throws(ServingError) {
        let state = Monitor(State(body: document.json))
        self.state = state
        server = try Server(
            listen: ListenAddress(host: "127.0.0.1", port: port),
            routes: [
                Route(.get, "/debug/status") { _, _ in
                    let (status, body) = state.change { state in
                        state.asked += 1
                        return (state.status, state.body)
                    }
                    return .respond(Response(status: status, headers: ["Content-Type": "application/json"], body: body))
                }
            ], settings: ServerSettings(maxBody: .mebibytes(1), maxConnections: 100))
    }

    var url: String { "http://\(server.address)" }
    var asked: Int { state.withLock { $0.asked } }

    func answer(_ document: StatusDocument) { answer(200, document.json) }

    func answer(_ status: UInt32, _ body: [UInt8]) {
        state.change { state in
            state.status = status
            state.body = body
        }
    }

    func stop() { server.stop(deadline: SystemTime().monotonic()) }
}
