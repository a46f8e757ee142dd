import Glibc
package import Platform

/// A TCP socket on loopback, closed when the object goes.
///
/// Its calls block. Another thread ends them with `shutdown`.
package final class LoopbackSocket: Sendable {
    private let file: Int32

    private init(_ file: Int32) { self.file = file }

    deinit { close(file) }

    /// Listens on `port` of 127.0.0.`host`; 0 picks a free port.
    package static func listening(port: UInt16 = 0, host: UInt8 = 1) throws(SystemError) -> LoopbackSocket {
        let made = LoopbackSocket(socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        var one: Int32 = 1
        setsockopt(made.file, SOL_SOCKET, SO_REUSEADDR, &one, socklen_t(MemoryLayout<Int32>.size))
        let bound = withAddress(port, host: host) { bind(made.file, $0, $1) }
        guard bound == 0 else { throw SystemError("bind", "127.0.0.\(host):\(port)") }
        guard listen(made.file, 512) == 0 else { throw SystemError("listen", "127.0.0.\(host):\(port)") }
        return made
    }

    /// Connects to `port`.
    package static func connected(to port: UInt16) throws(SystemError) -> LoopbackSocket {
        let made = LoopbackSocket(socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0))
        let code = withAddress(port) { connect(made.file, $0, $1) }
        guard code == 0 else { throw SystemError("connect", "127.0.0.1:\(port)") }
        return made
    }

    /// The port that the socket is bound to.
    package var port: UInt16 {
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) { _ = getsockname(file, $0, &size) }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    /// The next connection. Nil after the socket was shut down.
    package func accepted() -> LoopbackSocket? {
        while true {
            let connection = accept(file, nil, nil)
            if connection >= 0 { return LoopbackSocket(connection) }
            if errno != EINTR && errno != ECONNABORTED { return nil }
        }
    }

    /// The next bytes. Empty at the end.
    package func read(_ limit: Int = 65_536) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in
            while true {
                let read = recv(file, buffer.baseAddress, limit, 0)
                if read < 0 && errno == EINTR { continue }
                count = max(0, read)
                return
            }
        }
    }

    /// Writes all bytes. Returns false if the peer is gone.
    package func write(_ bytes: [UInt8]) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let sent = bytes.withUnsafeBytes { buffer in
                send(file, buffer.baseAddress.map { $0 + offset }, bytes.count - offset, Int32(MSG_NOSIGNAL))
            }
            if sent < 0 && errno == EINTR { continue }
            guard sent > 0 else { return false }
            offset += sent
        }
        return true
    }

    /// Waits until the peer closes or this socket is shut down.
    package func waitForEnd() {
        while !read(4_096).isEmpty {}
    }

    /// Ends every call on the socket, those of other threads, too.
    package func shutdown() { _ = Glibc.shutdown(file, Int32(SHUT_RDWR)) }

    /// Makes closing reset the connection, instead of ending it in good order.
    package func resetWhenClosed() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(file, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
    }

    private static func withAddress<R>(
        _ port: UInt16, host: UInt8 = 1, _ body: (UnsafePointer<sockaddr>, socklen_t) -> R
    ) -> R {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = (0x7F00_0000 | UInt32(host)).bigEndian
        return withUnsafePointer(to: &address) { address in
            address.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }
}
