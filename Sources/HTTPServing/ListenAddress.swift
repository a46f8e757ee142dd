/// The address that a server listens on, as a person writes it: `host:port`, `[v6]:port`, or `:port` for every address.
package struct ListenAddress: Sendable, Equatable, CustomStringConvertible {
    /// A name, or a numeric address without brackets; empty for every address of the machine.
    package let host: String
    /// 0 lets the system choose one.
    package let port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    /// Reads `host:port`. Throws `badAddress` with a description of the mistake.
    package init(_ text: String) throws(ServingError) {
        guard let colon = text.lastIndex(of: ":") else { throw .badAddress(text, "the port is missing") }
        let digits = text[text.index(after: colon)...]
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(digits) else {
            throw .badAddress(text, "the port is not a number from 0 to 65535")
        }
        var host = text[..<colon]
        if host.hasPrefix("[") {
            guard host.hasSuffix("]"), host.count > 2 else { throw .badAddress(text, "the bracket is not closed") }
            host = host.dropFirst().dropLast()
        } else if host.contains(":") {
            throw .badAddress(text, "an IPv6 address belongs in brackets")
        }
        guard host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "[") && $0 != UInt8(ascii: "]") })
        else {
            throw .badAddress(text, "the host holds a character that no host has")
        }
        self.init(host: String(host), port: port)
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
