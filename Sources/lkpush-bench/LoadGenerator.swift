import CBenchmark
import Glibc
import Platform

/// Many keep-alive connections on one thread, each with one running request. It allocates nothing while it runs.
final class LoadGenerator {
    struct LoadError: Error, CustomStringConvertible {
        let description: String
    }

    struct Outcome {
        let wall_ns: Int64
        /// The share of the time for which this thread was computing.
        let busy: Double
        let good: Int
        /// The number of answers with another status than 200.
        let bad: Int
    }

    private struct Connection {
        let socket: Int32
        var received = 0
    }

    private static let buffer_bytes = 1_024
    let file: Int32
    private var connections: [Connection] = []
    private var buffer: [UInt8]
    var ready: [epoll_event]

    var connectionCount: Int { connections.count }

    /// Opens the connections to a port of this machine.
    init(port: UInt16, connections count: Int) throws(LoadError) {
        file = epoll_create1(Int32(EPOLL_CLOEXEC))
        buffer = [UInt8](repeating: 0, count: Self.buffer_bytes)
        ready = [epoll_event](repeating: epoll_event(), count: count)
        for index in 0..<count {
            let socket = try Loopback.connect(port)
            connections.append(Connection(socket: socket))
            var event = epoll_event()
            event.events = EPOLLIN.rawValue
            event.data.u64 = UInt64(index)
            epoll_ctl(file, EPOLL_CTL_ADD, socket, &event)
        }
    }

    deinit {
        for connection in connections { close(connection.socket) }
        close(file)
    }

    /// Sends each of these requests once, as fast as they are answered.
    func send(_ requests: Requests, _ range: Range<Int>) throws(LoadError) -> Outcome {
        let time = SystemTime()
        let start = time.monotonic()
        let cpu = Self.threadTime()
        var next = range.lowerBound
        var open = 0
        var (good, bad) = (0, 0)
        while open < connections.count, next < range.upperBound {
            try begin(open, requests, next)
            next += 1
            open += 1
        }
        while open > 0 {
            let count = epoll_wait(file, &ready, Int32(ready.count), 10_000)
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw LoadError(description: "no answer within ten seconds") }
            for position in 0..<Int(count) {
                let index = Int(ready[position].data.u64)
                guard let isGood = try receive(index) else { continue }
                if isGood { good += 1 } else { bad += 1 }
                if next < range.upperBound {
                    try begin(index, requests, next)
                    next += 1
                } else {
                    open -= 1
                }
            }
        }
        let wall = time.monotonic().nanoseconds - start.nanoseconds
        return Outcome(
            wall_ns: wall, busy: Double(Self.threadTime() - cpu) / Double(wall), good: good, bad: bad)
    }

    /// Sends a request. It always fits into the empty buffer of its connection.
    func begin(_ index: Int, _ requests: Requests, _ number: Int) throws(LoadError) {
        let range = requests[number]
        let sent = requests.bytes.withUnsafeBytes { bytes in
            Glibc.send(
                connections[index].socket, bytes.baseAddress.map { $0 + range.lowerBound }, range.count,
                Int32(MSG_NOSIGNAL))
        }
        guard sent == range.count else { throw LoadError(description: "a request could not be sent: error \(errno)") }
    }

    /// Returns true if the answer is a 200; nil while it is incomplete.
    func receive(_ index: Int) throws(LoadError) -> Bool? {
        let had = connections[index].received
        let count = buffer.withUnsafeMutableBytes { bytes in
            recv(connections[index].socket, bytes.baseAddress, bytes.count, 0)
        }
        if count < 0 && (errno == EAGAIN || errno == EINTR) { return nil }
        guard count > 0 else { throw LoadError(description: "a connection was closed: error \(errno)") }
        // The answers of both servers are shorter than 300 bytes and have no body. An answer that comes in pieces is
        // counted until the blank line that ends its header.
        connections[index].received = had + count
        guard count >= 4, buffer[count - 4] == 13, buffer[count - 3] == 10, buffer[count - 2] == 13,
            buffer[count - 1] == 10
        else {
            if had > 0 { throw LoadError(description: "an answer has a body") }
            return nil
        }
        connections[index].received = 0
        // `HTTP/1.1 200`
        return buffer[9] == UInt8(ascii: "2") && buffer[10] == UInt8(ascii: "0") && buffer[11] == UInt8(ascii: "0")
    }

    /// The computing time of this thread.
    static func threadTime() -> Int64 { clock(CLOCK_THREAD_CPUTIME_ID) }

    /// The computing time of all threads.
    static func processTime() -> Int64 { clock(CLOCK_PROCESS_CPUTIME_ID) }

    private static func clock(_ id: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(id, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }
}

/// Sockets of this machine.
enum Loopback {
    private static func address(_ port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }

    /// Returns a connected, non-blocking socket.
    static func connect(_ port: UInt16) throws(LoadGenerator.LoadError) -> Int32 {
        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = address(port)
        let code = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.connect(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard code == 0 else {
            let error = errno
            close(file)
            throw LoadGenerator.LoadError(description: "nobody listens on port \(port): error \(error)")
        }
        _ = fcntl(file, F_SETFL, O_NONBLOCK)
        var on: Int32 = 1
        setsockopt(file, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        return file
    }

    /// Returns a port that was free a moment ago, for programs that cannot choose one themselves.
    static func freePort() -> UInt16 {
        let file = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(file) }
        var address = address(0)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = bind(file, $0, length)
                _ = getsockname(file, $0, &length)
            }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    /// Returns the answer to a GET, including its header.
    static func get(_ port: UInt16, _ path: String) throws(LoadGenerator.LoadError) -> [UInt8] {
        let file = try connect(port)
        defer { close(file) }
        let request = Array("GET \(path) HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".utf8)
        guard send(file, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
            throw LoadGenerator.LoadError(description: "a request could not be sent: error \(errno)")
        }
        var answer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 65_536)
        var waiting = pollfd(fd: file, events: Int16(POLLIN), revents: 0)
        while poll(&waiting, 1, 10_000) > 0 {
            let count = recv(file, &piece, piece.count, 0)
            if count <= 0 { break }
            answer += piece[..<count]
        }
        return answer
    }

    /// Waits until a program listens on the port. Returns false if none does within ten seconds.
    static func waitFor(_ port: UInt16) -> Bool {
        let time = SystemTime()
        let end = time.monotonic() + .seconds(10)
        let pause = Monitor(())
        while time.monotonic() < end {
            // A refused connection is the expected answer at first.
            if let file = try? connect(port) {
                close(file)
                return true
            }
            _ = pause.wait(until: time.monotonic() + .milliseconds(10)) { _ in nil as Void? }
        }
        return false
    }
}
