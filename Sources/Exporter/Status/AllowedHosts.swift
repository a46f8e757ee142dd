import Glibc
import Platform

/// The values of `Host` under which the status may be asked for.
///
/// A page of a stranger can let its own name lead to this listener, and then read what a browser fetches from it. Such a
/// request carries the stranger's name. An address or `localhost` belongs to nobody else.
/// https://owasp.org/www-community/attacks/DNS_Rebinding
package struct AllowedHosts: Sendable {
    private let names: Set<String>

    /// - Parameter names: host names besides `localhost`, in any case of letters.
    package init(_ names: [String]) { self.names = Set(names.map { $0.lowercased() }) }

    /// True for an address, for `localhost`, and for one of the names, with or without a port.
    package func allows(_ host: String?) -> Bool {
        guard let host, let name = Self.name(of: host.lowercased()) else { return false }
        return name == "localhost" || names.contains(name) || Self.isAddress(name)
    }

    /// The host without its port and brackets. Nil if it has another form.
    private static func name(of host: String) -> String? {
        if host.hasPrefix("[") {
            guard let end = host.firstIndex(of: "]") else { return nil }
            let rest = host[host.index(after: end)...]
            return isPort(rest) ? String(host[host.index(after: host.startIndex)..<end]) : nil
        }
        let parts = host.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 1 || isPort(":" + parts[1]) else { return nil }
        // A dot at the end makes no other name.
        return parts[0].hasSuffix(".") ? String(parts[0].dropLast()) : String(parts[0])
    }

    private static func isPort(_ text: some StringProtocol) -> Bool {
        text.isEmpty || text.first == ":" && text.utf8.dropFirst().allSatisfy { (0x30...0x39).contains($0) }
    }

    /// True for a numeric address. Wraps `inet_pton`.
    private static func isAddress(_ name: String) -> Bool {
        var address = in6_addr()
        return inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1
    }
}
