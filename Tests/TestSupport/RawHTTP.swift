import Glibc
package import Platform

/// A blocking HTTP client on one raw socket. It sends exactly the bytes that it is given. Every wait ends after
/// `patience`.
package final class RawHTTP {
    /// One response, as it arrived.
    package struct Reply: Equatable {
        package var status: Int
        /// Names in lower case, in order.
        package var headers: [(name: String, value: String)]
        package var body: [UInt8]

        package var text: String { String(decoding: body, as: UTF8.self) }

        package func header(_ name: String) -> String? {
            headers.first { $0.name == name.lowercased() }?.value
        }

        package static func == (a: Reply, b: Reply) -> Bool {
            a.status == b.status && a.body == b.body && a.headers.elementsEqual(b.headers, by: ==)
        }
    }

    private let file: Int32
    /// Bytes that came after the last response.
    private var rest: [UInt8] = []
    /// Set for the response to a HEAD: it has no body, whatever its length says.
    package var expectsNoBody = false

    /// Connects to a port of this machine.
    package init(port: UInt16, patience: Duration = Waits.limit) throws(SystemError) {
        file = try Self.connect(port, patience)
    }

    /// It connects before the object exists: a throw from a complete object would run `deinit` and close twice.
    static func connect(_ port: UInt16, _ patience: Duration) throws(SystemError) -> Int32 {
        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard file >= 0 else { throw SystemError("socket", "127.0.0.1") }
        var limit = timeval(tv_sec: Int(patience.components.seconds), tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        setsockopt(file, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        setsockopt(file, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        var now: Int32 = 1
        setsockopt(file, Int32(IPPROTO_TCP), TCP_NODELAY, &now, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else {
            let error = SystemError("connect", "127.0.0.1:\(port)")
            Glibc.close(file)
            throw error
        }
        return file
    }

    deinit { Glibc.close(file) }

    /// Sends all bytes. Returns false if the server closed before it took all of them.
    @discardableResult
    package func send(_ bytes: [UInt8]) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(file, $0.baseAddress.map { $0 + offset }, $0.count - offset, Int32(MSG_NOSIGNAL))
            }
            if count < 0 && errno == EINTR { continue }
            if count <= 0 { return false }
            offset += count
        }
        return true
    }

    @discardableResult
    package func send(_ text: String) -> Bool { send(Array(text.utf8)) }

    /// Closes the sending side.
    package func endSending() { shutdown(file, Int32(SHUT_WR)) }

    /// The next response. Nil if the connection or `patience` ended before it was complete.
    package func receive() -> Reply? {
        while true {
            if let end = headerEnd() {
                return reply(head: Array(rest[..<end]), bodyFrom: end + 4)
            }
            guard receiveMore() else { return nil }
        }
    }

    /// Waits until the server has closed. Returns false if it does not.
    package func isClosed() -> Bool {
        while true {
            var byte: UInt8 = 0
            let count = recv(file, &byte, 1, 0)
            if count == 0 { return true }
            if count < 0 && errno == EINTR { continue }
            if count < 0 { return errno == ECONNRESET }
            rest.append(byte)
        }
    }

    /// True if the server has closed the connection, as far as this side knows by now. Does not wait.
    package var isOver: Bool {
        var byte: UInt8 = 0
        let count = recv(file, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT))
        return count == 0 || count < 0 && errno != EAGAIN && errno != EINTR
    }

    /// Sends a request and returns its response. A body gets a `Content-Length`.
    package func ask(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8]? = nil
    ) -> Reply? {
        send(Self.request(method, path, headers: headers, body: body))
        expectsNoBody = method == "HEAD"
        defer { expectsNoBody = false }
        return receive()
    }

    /// The bytes of a request.
    package static func request(
        _ method: String, _ path: String, headers: [(String, String)] = [], body: [UInt8]? = nil
    ) -> [UInt8] {
        var text = "\(method) \(path) HTTP/1.1\r\n"
        if !headers.contains(where: { $0.0 == "Host" }) { text += "Host: test\r\n" }
        for (name, value) in headers { text += "\(name): \(value)\r\n" }
        if let body { text += "Content-Length: \(body.count)\r\n" }
        return Array((text + "\r\n").utf8) + (body ?? [])
    }

    /// The bytes of a request whose body is sent in chunks.
    package static func chunkedRequest(
        _ method: String, _ path: String, headers: [(String, String)] = [], pieces: [[UInt8]]
    ) -> [UInt8] {
        var bytes = request(method, path, headers: headers + [("Transfer-Encoding", "chunked")])
        for piece in pieces {
            bytes += Array("\(String(piece.count, radix: 16))\r\n".utf8) + piece + [0x0D, 0x0A]
        }
        return bytes + Array("0\r\n\r\n".utf8)
    }

    // MARK: Reading

    private func receiveMore() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(file, &chunk, chunk.count, 0)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { return false }
            rest.append(contentsOf: chunk[..<count])
            return true
        }
    }

    private func headerEnd() -> Int? {
        guard rest.count >= 4 else { return nil }
        return (0...(rest.count - 4)).first { rest[$0...].starts(with: [0x0D, 0x0A, 0x0D, 0x0A]) }
    }

    private func reply(head: [UInt8], bodyFrom start: Int) -> Reply? {
        let lines = String(decoding: head, as: UTF8.self).split(separator: "\r\n")
        guard let first = lines.first?.split(separator: " "), first.count >= 2, let status = Int(first[1]) else {
            return nil
        }
        var reply = Reply(status: status, headers: [], body: [])
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            reply.headers.append((parts[0].lowercased(), String(parts[1].drop { $0 == " " })))
        }
        let hasBody = !expectsNoBody && status >= 200 && status != 204 && status != 304
        let length = hasBody ? reply.header("content-length").flatMap { Int($0) } : 0
        guard let length else {
            while receiveMore() {}
            reply.body = Array(rest[start...])
            rest = []
            return reply
        }
        while rest.count < start + length {
            guard receiveMore() else { return nil }
        }
        reply.body = Array(rest[start..<(start + length)])
        rest.removeFirst(start + length)
        return reply
    }
}
