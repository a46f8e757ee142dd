import Platform
import TestSupport

/// A proxy that makes tunnels: it is asked for one, and then passes bytes in both directions.
///
/// Whatever host is asked for, the tunnel ends at one server on loopback.
final class TunnelProxy: Sendable {
    enum Kind {
        /// It reads `CONNECT`.
        case http
        /// It reads what RFC 1928 says, without authentication. https://www.rfc-editor.org/rfc/rfc1928
        case socks5
    }

    private struct State {
        var heads: [HTTPMessage] = []
        var names: [String] = []
        var sockets: [LoopbackSocket] = []
        var threads: [NamedThread] = []
    }

    private let state = Monitor(State())
    private let listener: LoopbackSocket
    private let acceptor: NamedThread

    init(_ kind: Kind = .http, to server: UInt16) throws(SystemError) {
        let listener = try LoopbackSocket.listening()
        self.listener = listener
        acceptor = NamedThread(name: "tunnels") { [state] in
            while let client = listener.accepted() { Self.serve(client, kind, server, state) }
        }
    }

    deinit {
        listener.shutdown()
        acceptor.join()
        for socket in state.withLock({ $0.sockets }) { socket.shutdown() }
        for thread in state.withLock({ $0.threads }) { thread.join() }
    }

    var port: UInt16 { listener.port }

    /// The heads that asked for a tunnel.
    var heads: [HTTPMessage] { state.withLock { $0.heads } }

    /// The hosts and ports that SOCKS was asked for.
    var names: [String] { state.withLock { $0.names } }

    private static func greet(_ client: LoopbackSocket, _ kind: Kind, _ state: Monitor<State>) -> Bool {
        switch kind {
        case .http:
            var rest: [UInt8] = []
            guard let head = HTTPMessage.read(from: client, buffer: &rest) else { return false }
            state.change { $0.heads.append(head) }
            return client.write(Array("HTTP/1.1 200 Connected\r\n\r\n".utf8))
        case .socks5:
            guard client.read(64).first == 5, client.write([5, 0]) else { return false }
            let ask = client.read(512)
            // The kind 3 is a name: its length, its bytes, and the port.
            guard ask.count > 5, ask.prefix(4).elementsEqual([5, 1, 0, 3]), ask.count == 7 + Int(ask[4]) else {
                return false
            }
            let name = String(decoding: ask[5..<(5 + Int(ask[4]))], as: UTF8.self)
            state.change { $0.names.append("\(name):\(Int(ask[ask.count - 2]) << 8 | Int(ask[ask.count - 1]))") }
            return client.write([5, 0, 0, 1, 0, 0, 0, 0, 0, 0])
        }
    }

    private static func serve(
        _ client: LoopbackSocket, _ kind: Kind, _ server: UInt16, _ state: Monitor<State>
    ) {
        guard let upstream = try? LoopbackSocket.connected(to: server), greet(client, kind, state) else { return }
        let threads = [(client, upstream), (upstream, client)].map { source, target in
            NamedThread(name: "tunnel") {
                while true {
                    let bytes = source.read()
                    if bytes.isEmpty || !target.write(bytes) { break }
                }
                source.shutdown()
                target.shutdown()
            }
        }
        state.change { state in
            state.sockets += [client, upstream]
            state.threads += threads
        }
    }
}
