package import Platform

/// A kept-alive HTTP connection to 127.0.0.1. It is made again if the server closed it after its answer.
package final class LoopbackClient {
    private let port: UInt16
    private var socket: LoopbackSocket
    private var buffer: [UInt8] = []
    private var isEnded = false

    package init(port: UInt16) throws(SystemError) {
        self.port = port
        socket = try LoopbackSocket.connected(to: port)
    }

    /// A status and a text.
    package struct Answer {
        package let status: Int
        package let body: String
    }

    package func get(_ path: String) -> Answer? { exchange("GET", path, [:], []) }

    package func post(_ path: String, _ headers: [String: String], _ body: [UInt8]) -> Answer? {
        exchange("POST", path, headers, body)
    }

    private func exchange(_ method: String, _ path: String, _ headers: [String: String], _ body: [UInt8]) -> Answer? {
        if isEnded {
            // If nobody listens any more, there is no answer.
            guard let new = try? LoopbackSocket.connected(to: port) else { return nil }
            (socket, buffer, isEnded) = (new, [], false)
        }
        var head = "\(method) \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.count)\r\n"
        for (name, value) in headers { head += "\(name): \(value)\r\n" }
        guard socket.write(Array((head + "\r\n").utf8) + body) else { return nil }
        guard let message = HTTPMessage.read(from: socket, buffer: &buffer) else { return nil }
        isEnded = message.headers["connection"]?.lowercased() == "close"
        let words = message.startLine.split(separator: " ")
        guard words.count >= 2, let status = Int(words[1]) else { return nil }
        return Answer(status: status, body: String(decoding: message.body, as: UTF8.self))
    }

    /// Sends one request on a connection of its own. Returns nil if nobody answers.
    package static func get(_ path: String, port: UInt16) -> Answer? {
        do throws(SystemError) {
            return try LoopbackClient(port: port).get(path)
        } catch {
            return nil
        }
    }
}
