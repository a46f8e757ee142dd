// Which of the two modules owns the declarations of `netdb.h` depends on the order in which files are compiled.
import CMicroHTTPD
import Glibc
import Platform

/// A bound TCP socket that accepts connections, and its address.
///
/// lkpush makes it itself, because the HTTP library does not say why it cannot listen.
struct ListeningSocket {
    let file: Int32
    /// The address, with the port that the system chose if 0 was asked for.
    let address: ListenAddress

    /// - Parameter accepts: false if the address is only to be taken: then clients are refused.
    init(_ wanted: ListenAddress, accepts: Bool = true) throws(ServingError) {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(wanted.host.isEmpty ? nil : wanted.host, String(wanted.port), &hints, &list)
        guard code == 0, let first = list else {
            throw .badAddress(wanted.description, String(cString: gai_strerror(code)))
        }
        defer { freeaddrinfo(first) }
        // For every address one IPv6 socket takes IPv4, too. On a machine without IPv6 the next candidate is used.
        var candidates: [UnsafeMutablePointer<addrinfo>] = []
        var next: UnsafeMutablePointer<addrinfo>? = first
        while let candidate = next {
            candidates.append(candidate)
            next = candidate.pointee.ai_next
        }
        if wanted.host.isEmpty {
            candidates.sort { $0.pointee.ai_family == AF_INET6 && $1.pointee.ai_family == AF_INET }
        }
        var failure = ServingError.noSuchAddress(wanted.description)
        for candidate in candidates {
            do throws(ServingError) {
                let file = try Self.open(candidate.pointee, wanted, accepts: accepts)
                self.file = file
                address = Self.bound(file) ?? wanted
                return
            } catch {
                failure = error
                if case .addressInUse = error { break }
            }
        }
        throw failure
    }

    private static func open(
        _ info: addrinfo, _ wanted: ListenAddress, accepts: Bool
    ) throws(ServingError) -> Int32 {
        let type = info.ai_socktype | Int32(SOCK_CLOEXEC.rawValue)
        let file = socket(info.ai_family, type, info.ai_protocol)
        guard file >= 0 else { throw reason("socket", wanted) }
        // A restart must not wait for the last connections of the process before.
        set(file, SOL_SOCKET, SO_REUSEADDR, to: 1)
        if info.ai_family == AF_INET6 { set(file, Int32(IPPROTO_IPV6), IPV6_V6ONLY, to: 0) }
        let isBound = bind(file, info.ai_addr, info.ai_addrlen) == 0
        guard isBound, !accepts || listen(file, Limits.backlog) == 0 else {
            let error = reason("bind", wanted)
            close(file)
            throw error
        }
        return file
    }

    private static func reason(_ operation: String, _ wanted: ListenAddress) -> ServingError {
        switch errno {
        case EADDRINUSE: .addressInUse(wanted.description)
        case EACCES, EPERM: .notPermitted(wanted.description)
        case EADDRNOTAVAIL, EAFNOSUPPORT: .noSuchAddress(wanted.description)
        default: .system(SystemError(operation, wanted.description))
        }
    }

    private static func set(_ file: Int32, _ level: Int32, _ option: Int32, to value: Int32) {
        var value = value
        setsockopt(file, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
    }

    /// Returns the socket's address. Wraps `getsockname` and `getnameinfo`.
    private static func bound(_ file: Int32) -> ListenAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var service = [CChar](repeating: 0, count: Int(NI_MAXSERV))
        let isKnown = withUnsafeMutablePointer(to: &storage) { storage in
            storage.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                getsockname(file, address, &length) == 0
                    && getnameinfo(
                        address, length, &host, socklen_t(host.count), &service, socklen_t(service.count),
                        NI_NUMERICHOST | NI_NUMERICSERV) == 0
            }
        }
        guard isKnown, let port = UInt16(text(service)) else { return nil }
        return ListenAddress(host: text(host), port: port)
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
