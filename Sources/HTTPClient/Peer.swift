/// The host and port that a request connects to: those of its URL, or those of a proxy.
struct Peer: Equatable {
    /// In lower case and ASCII; an IPv6 address without brackets.
    let host: String
    let port: UInt16
    let isProxy: Bool

    /// True if a name server may have to be asked. curl itself knows addresses, and what `localhost` stands for.
    /// https://www.rfc-editor.org/rfc/rfc6761#section-6.3
    var needsResolving: Bool {
        IPAddress(host) == nil && host != "localhost" && !host.hasSuffix(".localhost")
    }

    /// The option that gives curl the addresses of the host.
    func resolved(to addresses: [String]) -> String { "\(host):\(port):\(addresses.joined(separator: ","))" }
}
