import CCurl

/// The parts of a URL as curl reads them, so that no check of ours is about another host than curl connects to.
struct URLParts {
    /// In lower case.
    let scheme: String
    /// In lower case and ASCII; an IPv6 address has no brackets.
    let host: String
    let port: UInt16
    /// User and password as they stand in the URL, with the `@` behind them; empty if there are none.
    let userInfo: String

    /// Returns nil if curl can make no request with the text. Wraps `curl_url_set` and `curl_url_get`.
    init?(_ text: String) {
        guard let handle = curl_url() else { return nil }
        defer { curl_url_cleanup(handle) }
        // Schemes of proxies are no protocols of libcurl.
        let lenient = UInt32(CURLU_NON_SUPPORT_SCHEME)
        guard curl_url_set(handle, CURLUPART_URL, text, lenient) == CURLUE_OK,
            let scheme = Self.part(CURLUPART_SCHEME, of: handle, 0),
            var host = Self.part(CURLUPART_HOST, of: handle, 0)?.lowercased(), !host.isEmpty,
            // curl would turn other characters into ASCII in some locales only. The ASCII form (xn--…) works in all.
            host.utf8.allSatisfy({ $0 < 0x80 })
        else { return nil }
        if host.hasPrefix("["), host.hasSuffix("]") { host = String(host.dropFirst().dropLast()) }
        self.scheme = scheme.lowercased()
        self.host = host
        // curl has no port of its own for the schemes of proxies alone.
        let usual: UInt16 = self.scheme == "https" ? 443 : self.scheme.hasPrefix("socks") ? 1_080 : 80
        port = Self.part(CURLUPART_PORT, of: handle, 0).flatMap { UInt16($0) } ?? usual
        let user = Self.part(CURLUPART_USER, of: handle, 0)
        let password = Self.part(CURLUPART_PASSWORD, of: handle, 0).map { ":" + $0 } ?? ""
        userInfo = user.map { $0 + password + "@" } ?? ""
    }

    private static func part(_ part: CURLUPart, of handle: OpaquePointer, _ flags: UInt32) -> String? {
        var text: UnsafeMutablePointer<CChar>?
        guard curl_url_get(handle, part, &text, flags) == CURLUE_OK, let text else { return nil }
        defer { curl_free(text) }
        return String(cString: text)
    }
}
