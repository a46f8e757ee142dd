import Platform

/// What environment variables say about every connection to the outside.
package struct NetworkEnvironment: Sendable, Equatable {
    package let proxies: Proxies
    /// `SSL_CERT_FILE`: a PEM file with the certificates to trust instead of those in the system's file.
    let authorityFile: String?
    /// `SSL_CERT_DIR`: folders with certificates to trust instead of the system's folder, with colons between them.
    let authorityFolders: String?

    package init(_ environment: [String: String] = ProcessEnvironment.current) {
        proxies = Proxies(environment)
        func path(_ name: String) -> String? {
            environment[name].map { PlainText.trimmed($0) }.flatMap { $0.isEmpty ? nil : $0 }
        }
        authorityFile = path("SSL_CERT_FILE")
        authorityFolders = path("SSL_CERT_DIR")
    }

    /// What is wrong with the variables, each with its name. Nothing of their values is quoted.
    package var problems: [String] { proxies.problems }

    /// True if requests to this URL go through a proxy.
    package func usesProxy(for url: EndpointURL) -> Bool { proxies.route(to: url) != .direct }
}
