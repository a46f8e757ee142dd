import Glibc
import Platform
import Synchronization

/// Finds the addresses of host names with the C library's `getaddrinfo`, each name on a thread of its own.
///
/// A call of `getaddrinfo` cannot be ended. It may take minutes where no name server answers, and curl waits for its
/// own calls before it lets a request or a handle go. So nobody waits for these threads: who asks looks for the outcome
/// until it is tired of it, and the program ends without them.
///
/// Any thread may use it. There is one for the whole process, so that there is one thread per name at most.
final class NameResolver: Sendable {
    enum Limits {
        /// The most threads at one time. Host names come from the configuration, so there are few.
        static let threads = 16
        /// The most names that are remembered.
        static let names = 64
        /// The most addresses of one name that are tried.
        static let addresses = 16
        /// The age up to which addresses may be used when no newer ones can be found. It is the longest life of a
        /// connection, which needs no name server either.
        static let former = Duration.seconds(600)
    }

    static let shared = NameResolver()

    private struct Entry {
        var lookup: AddressLookup
        /// The newest addresses that were found.
        var found: (addresses: [String], at: MonotonicTime)?

        /// Keeps what the lookup found.
        mutating func noteOutcome() {
            if case .found(let addresses)? = lookup.outcome { found = (addresses, lookup.startedAt) }
        }
    }

    private let entries = Mutex<[String: Entry]>([:])

    /// The lookup of a name: the one that is under way, the last one if it found addresses within `lifetime`, or a new
    /// one. It never waits.
    ///
    /// - Parameter waker: its transport is woken when the lookup has an outcome.
    func lookup(_ host: String, lifetime: Duration, at now: MonotonicTime, waker: Waker) -> AddressLookup {
        entries.withLock { entries in
            if var entry = entries[host] {
                entry.noteOutcome()
                entries[host] = entry
                if !entry.lookup.notify(waker) { return entry.lookup }
                if let found = entry.found, entry.lookup.isFound, now.since(found.at) < lifetime { return entry.lookup }
            }
            return begin(host, at: now, waker, &entries)
        }
    }

    private func begin(
        _ host: String, at now: MonotonicTime, _ waker: Waker, _ entries: inout [String: Entry]
    ) -> AddressLookup {
        let found = entries[host]?.found
        let former = found.flatMap { now.since($0.at) < Limits.former ? $0.addresses : nil }
        let lookup = AddressLookup(host, former: former, startedAt: now)
        let running = entries.values.count { !$0.lookup.isOver }
        guard running < Limits.threads else {
            lookup.finish(.failed("too many other names are being resolved"))
            return lookup
        }
        if entries.count >= Limits.names { entries = entries.filter { !$0.value.lookup.isOver } }
        _ = lookup.notify(waker)
        guard NamedThread.startAbandoned(name: "resolver", { lookup.finish(Self.resolve(host)) }) else {
            lookup.finish(.failed("the system gives no thread"))
            return lookup
        }
        entries[host] = Entry(lookup: lookup, found: found)
        return lookup
    }

    /// Asks the system for all addresses of a name. Wraps `getaddrinfo`.
    private static func resolve(_ host: String) -> AddressLookup.Outcome {
        var hints = addrinfo()
        hints.ai_family = AF_UNSPEC
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let code = getaddrinfo(host, nil, &hints, &list)
        defer { if let list { freeaddrinfo(list) } }
        guard code == 0 else {
            if code == EAI_SYSTEM { return .failed(SystemError("getaddrinfo", host).description) }
            return .failed(gai_strerror(code).map { String(cString: $0) } ?? "error \(code)")
        }
        var addresses: [String] = []
        var next = list
        while let info = next?.pointee, addresses.count < Limits.addresses {
            next = info.ai_next
            guard let text = text(of: info), !addresses.contains(text) else { continue }
            addresses.append(text)
        }
        return addresses.isEmpty ? .failed("it has no address") : .found(addresses)
    }

    /// The address in the form that curl takes. Nil for one with a scope, which it does not take. Wraps `getnameinfo`.
    private static func text(of info: addrinfo) -> String? {
        var bytes = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        let code = getnameinfo(
            info.ai_addr, info.ai_addrlen, &bytes, socklen_t(bytes.count), nil, 0, NI_NUMERICHOST)
        guard code == 0 else { return nil }
        let text = String(decoding: bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        if text.contains("%") { return nil }
        return text.contains(":") ? "[\(text)]" : text
    }
}
