/// An absolute `http` or `https` URL for requests. Its printed form holds no credentials.
///
/// User name, password and query may hold secrets, so only `exposed` shows them. https://www.rfc-editor.org/rfc/rfc3986
package struct EndpointURL: Sendable, Hashable, CustomStringConvertible {
    /// The whole text, for the one place that opens connections.
    package let exposed: String
    /// Scheme, host, port and path: the part that logs, labels and errors may show.
    package let description: String
    /// True for `https`.
    let isSecure: Bool
    /// The host that is connected to, as curl reads it: in lower case and ASCII, an IPv6 address without brackets.
    let host: String
    let port: UInt16

    /// Returns nil if the text is not an absolute HTTP URL with a host, if it holds spaces or control characters, or if
    /// curl does not take it.
    package init?(_ text: String) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7F }) else { return nil }
        let scheme: String
        if text.lowercased().hasPrefix("https://") {
            scheme = "https"
        } else if text.lowercased().hasPrefix("http://") {
            scheme = "http"
        } else {
            return nil
        }
        let rest = text.dropFirst(scheme.count + 3)
        let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        let path = rest.dropFirst(authority.count).prefix { $0 != "?" && $0 != "#" }
        let host = authority.split(separator: "@", omittingEmptySubsequences: false).last ?? ""
        guard !host.isEmpty, !host.hasPrefix(":"), let parts = URLParts(text) else { return nil }
        isSecure = parts.scheme == "https"
        self.host = parts.host
        port = parts.port
        exposed = text
        description = "\(scheme)://\(host)\(path)"
    }
}
