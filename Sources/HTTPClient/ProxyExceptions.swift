/// The hosts of `NO_PROXY`, which are connected to directly.
struct ProxyExceptions: Sendable, Equatable {
    private enum Entry: Equatable {
        /// Addresses that begin with these bits.
        case range(IPAddress, bits: Int)
        /// An address, at one port or at all.
        case address(IPAddress, port: UInt16?)
        /// Names that end with this text, which begins with a dot; the name without the dot too, unless it was written
        /// with one. At one port or at all.
        case names(suffix: String, withItself: Bool, port: UInt16?)
    }

    private var holdsAll = false
    private var entries: [Entry] = []

    /// Reads a list with commas. What is no entry is left out, as Go does.
    init(_ list: String) {
        for part in list.split(separator: ",") {
            let text = part.trimmed.lowercased()
            if text == "*" {
                holdsAll = true
            } else if let entry = Self.range(text) ?? Self.host(text) {
                entries.append(entry)
            }
        }
    }

    /// - Parameter host: in lower case, an IPv6 address without brackets.
    func holds(_ host: String, port: UInt16) -> Bool {
        if holdsAll { return true }
        let address = IPAddress(host)
        return entries.contains { entry in
            switch entry {
            case .range(let start, let bits): address?.shares(bits, with: start) ?? false
            case .address(let other, let only): address == other && (only ?? port) == port
            case .names(let suffix, let withItself, let only):
                address == nil && (only ?? port) == port
                    && (host.hasSuffix(suffix) || withItself && host == suffix.dropFirst())
            }
        }
    }

    /// An entry such as `10.0.0.0/8`.
    private static func range(_ text: String) -> Entry? {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, let address = IPAddress(String(parts[0])), let bits = Int(parts[1]),
            (0...address.bytes.count * 8).contains(bits)
        else { return nil }
        return .range(address, bits: bits)
    }

    /// An entry such as `example.com`, `.example.com:8080`, `*.example.com`, `10.0.0.1` or `[::1]:443`.
    private static func host(_ text: String) -> Entry? {
        var (host, port) = (text, UInt16?.none)
        // An IPv6 address without brackets has several colons and no port.
        let colons = text.count { $0 == ":" }
        if let colon = text.lastIndex(of: ":"), colons == 1 || text.hasPrefix("[") && !text.hasSuffix("]") {
            host = String(text[..<colon])
            // A port that no request can have matches none.
            guard let number = UInt16(text[text.index(after: colon)...]) else { return nil }
            port = number
        }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        if host.isEmpty { return nil }
        if let address = IPAddress(host) { return .address(address, port: port) }
        if host.hasPrefix("*.") { host.removeFirst() }
        let withItself = !host.hasPrefix(".")
        return .names(suffix: withItself ? "." + host : host, withItself: withItself, port: port)
    }
}

extension Substring {
    fileprivate var trimmed: Substring {
        var text = drop(while: \.isWhitespace)
        while text.last?.isWhitespace == true { text.removeLast() }
        return text
    }
}
