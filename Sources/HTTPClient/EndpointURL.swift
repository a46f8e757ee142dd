/// An absolute `http` or `https` URL for requests. Its printed form holds no credentials.
///
/// User name, password and query may hold secrets, so only `exposed` shows them. https://www.rfc-editor.org/rfc/rfc3986
package struct EndpointURL: Sendable, Hashable, CustomStringConvertible {
    /// The whole text, for the one place that opens connections.
    package let exposed: String
    /// Scheme, host, port and path: the part that logs, labels and errors may show.
    package let description: String

    /// Returns nil if the text is not an absolute HTTP URL with a host, or holds spaces or control characters.
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
        guard !host.isEmpty, !host.hasPrefix(":") else { return nil }
        exposed = text
        description = "\(scheme)://\(host)\(path)"
    }
}
