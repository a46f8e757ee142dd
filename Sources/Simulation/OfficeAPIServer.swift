package import HTTPServing
package import LiveKit
import Platform
import Synchronization
import Wire

/// Answers as the server API of the office's LiveKit over HTTP, to whoever has a token for the call.
///
/// One thread gives it what happens in the office, and the threads of the HTTP server ask.
package final class OfficeAPIServer: Sendable {
    private enum Limits {
        static let body = ByteCount(1 << 20)
        /// More than any lkpush and its operator use.
        static let connections = 64
        /// The time that a stop waits for running calls.
        static let farewell = Duration.seconds(1)
    }

    private struct State {
        var api: OfficeAPI
        var signer: TokenSigner
        var key: String
    }

    /// What the HTTP server's handlers share with it.
    private final class Shared: Sendable {
        let state: Mutex<State>
        init(_ state: consuming State) { self.state = Mutex(state) }
    }

    private let shared: Shared
    private let server: Server

    /// Starts to listen.
    ///
    /// - Parameter signer: has the key and the secret by which tokens are checked.
    package init(_ address: ListenAddress, _ api: OfficeAPI, signer: TokenSigner) throws(ServingError) {
        let shared = Shared(State(api: api, signer: signer, key: Self.key(of: signer)))
        self.shared = shared
        let routes = APICall.allCases.map { call in
            Route(.post, call.rawValue) { request, body in
                let authorization = request.header("Authorization") ?? ""
                let bytes = body.withUnsafeBufferPointer { Array($0) }
                return .respond(Self.answer(shared, call, authorization, bytes, at: SystemTime().now()).response)
            }
        }
        server = try Server(
            listen: address, routes: routes,
            settings: ServerSettings(maxBody: Limits.body, maxConnections: Limits.connections),
            unknownPath: APIAnswer(.bad_route, "no handler for this path").response)
    }

    /// The address, with the port that the system chose if 0 was asked for.
    package var address: ListenAddress { server.address }

    /// Takes what happens in the office. Call it for every occurrence, in order.
    package func take(_ occurrence: Occurrence) { shared.state.withLock { $0.api.take(occurrence) } }

    /// Checks tokens by this signer's key and secret from now on.
    package func use(_ signer: TokenSigner) {
        let key = Self.key(of: signer)
        shared.state.withLock { ($0.signer, $0.key) = (signer, key) }
    }

    package func stop() { server.stop(deadline: SystemTime().monotonic() + Limits.farewell) }

    /// The name of the key, which every token of the signer tells.
    private static func key(of signer: TokenSigner) -> String {
        APIToken(signer.roomListToken(at: Timestamp(seconds: 0), lifetime: .zero))?.issuer ?? ""
    }

    private static func answer(
        _ shared: Shared, _ call: APICall, _ authorization: String, _ body: [UInt8], at now: Timestamp
    ) -> APIAnswer {
        let prefix = "Bearer "
        guard authorization.hasPrefix(prefix), let token = APIToken(String(authorization.dropFirst(prefix.count)))
        else { return APIAnswer(.unauthenticated, "no bearer token") }
        return shared.state.withLock { state in
            guard token.isValid(state.signer, key: state.key, at: now) else {
                return APIAnswer(.unauthenticated, "invalid token")
            }
            // A body that cannot be read is answered as one.
            let room = (try? APIRequest(body))?.room ?? ""
            guard token.allows(call, room: room) else { return APIAnswer(.unauthenticated, "permissions denied") }
            return state.api.answer(call.rawValue, body: body, at: now)
        }
    }
}

extension APIAnswer {
    fileprivate var response: Response {
        Response(status: UInt32(status), headers: ["Content-Type": "application/json"], body: body)
    }
}
