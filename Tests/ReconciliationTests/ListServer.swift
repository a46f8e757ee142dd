import HTTPServing
import LiveKit
import Platform
import TestSupport
import Wire

/// A stand-in for LiveKit's server API. It answers each method with what a test wants, and checks tokens as LiveKit does.
final class ListServer: Sendable {
    /// A call that arrived.
    struct Call: Sendable, Equatable {
        let name: String
        let body: String
        /// The claim `video` of its token, and its issuer.
        let claims: String
    }

    /// Answers a call with a status and a body.
    typealias Answer = @Sendable (Call) -> (status: UInt32, body: String)

    private struct State {
        var answer: Answer
        var calls: [Call] = []
    }

    private let server: Server
    private let state: Monitor<State>

    init(_ answer: @escaping Answer = { _ in (200, "{}") }) throws {
        let state = Monitor(State(answer: answer))
        self.state = state
        let services = [
            "RoomService/ListRooms", "RoomService/ListParticipants", "Egress/ListEgress", "Ingress/ListIngress",
        ]
        server = try Server(
            listen: ListenAddress(host: "127.0.0.1", port: 0),
            routes: services.map { service in
                Route(.post, "/livekit/twirp/livekit.\(service)") { request, body in
                    let token = request.header("Authorization") ?? ""
                    let call = Call(
                        name: String(service.split(separator: "/")[1]), body: Self.text(body),
                        claims: request.header("Content-Type") == "application/json" ? Self.claims(token) : "")
                    let answer = state.change { state in
                        state.calls.append(call)
                        return state.answer
                    }
                    let (status, text) = answer(call)
                    return .respond(
                        Response(
                            status: status, headers: ["Content-Type": "application/json"], body: Array(text.utf8)))
                }
            }, settings: ServerSettings(maxBody: .mebibytes(1), maxConnections: 100))
    }

    deinit { server.stop(deadline: SystemTime().monotonic()) }

    var url: String { "http://\(server.address)/livekit" }
    var calls: [Call] { state.withLock { $0.calls } }

    func answer(_ answer: @escaping Answer) { state.change { $0.answer = answer } }

    private static func text(_ bytes: Span<UInt8>) -> String {
        var text: [UInt8] = []
        for place in bytes.indices { text.append(bytes[place]) }
        return String(decoding: text, as: UTF8.self)
    }

    private static func claims(_ header: String) -> String {
        let parts = header.split(separator: ".").map { Array($0.utf8) }
        guard header.hasPrefix("Bearer "), parts.count == 3 else { return "" }
        let claims = parts[1]
        return String(decoding: Base64.url.decode(claims.span) ?? [], as: UTF8.self)
    }
}
