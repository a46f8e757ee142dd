import Platform

/// The proxies of `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`, in the form in which Go's programs read them, such as
/// Prometheus and Grafana Alloy. https://pkg.go.dev/golang.org/x/net/http/httpproxy#Config
///
/// * Each variable may also have its name in lower case. The capital one wins where both have a value.
/// * `localhost` and loopback addresses are never reached through a proxy.
/// * `ALL_PROXY`, which curl reads, is not read.
package struct Proxies: Sendable, Equatable {
    /// The way to a host.
    enum Route: Equatable {
        case direct
        case via(Proxy)
        /// The proxy's address cannot be read. Nothing is sent, since the way around a proxy may be forbidden.
        case unusable(String)
    }

    /// A proxy. Its URL may hold a password, so it is never printed.
    struct Proxy: Sendable, Equatable {
        /// The URL for curl, with user, password and port.
        let exposed: String
        let host: String
        let port: UInt16
    }

    private enum Setting: Equatable {
        case none
        case proxy(Proxy)
        case unusable(String)
    }

    private let plain: Setting
    private let secure: Setting
    private let exceptions: ProxyExceptions

    package init(_ environment: [String: String] = ProcessEnvironment.current) {
        func value(_ name: String) -> (name: String, text: String)? {
            for name in [name, name.lowercased()] {
                let text = environment[name].map { PlainText.trimmed($0) } ?? ""
                if !text.isEmpty { return (name, text) }
            }
            return nil
        }
        plain = Self.setting(value("HTTP_PROXY"))
        secure = Self.setting(value("HTTPS_PROXY"))
        exceptions = ProxyExceptions(value("NO_PROXY")?.text ?? "")
    }

    /// What is wrong with the variables, each with its name. Nothing of their values is quoted.
    package var problems: [String] {
        [plain, secure].compactMap { if case .unusable(let problem) = $0 { problem } else { nil } }
    }

    /// The way to the host of a URL.
    func route(to url: EndpointURL) -> Route {
        let setting = url.isSecure ? secure : plain
        if setting == .none || url.host == "localhost" || IPAddress(url.host)?.isLoopback == true
            || exceptions.holds(url.host, port: url.port)
        {
            return .direct
        }
        switch setting {
        case .none: return .direct
        case .proxy(let proxy): return .via(proxy)
        case .unusable(let problem): return .unusable(problem)
        }
    }

    private static func setting(_ value: (name: String, text: String)?) -> Setting {
        guard let (name, text) = value else { return .none }
        let schemes = ["http", "https", "socks5", "socks5h"]
        guard let parts = URLParts(text.contains("://") ? text : "http://" + text), schemes.contains(parts.scheme)
        else {
            return .unusable(
                "\(name): expected the URL of a proxy, such as http://proxy.example:3128; the schemes are "
                    + "\(schemes.joined(separator: ", ")); in a user or password write @ as %40, : as %3A and / as %2F")
        }
        // The proxy looks up the names of hosts, as with Go: this machine may not know them.
        let scheme = parts.scheme == "socks5" ? "socks5h" : parts.scheme
        let host = parts.host.contains(":") ? "[\(parts.host)]" : parts.host
        return .proxy(
            Proxy(
                exposed: "\(scheme)://\(parts.userInfo)\(host):\(parts.port)", host: parts.host, port: parts.port))
    }
}
