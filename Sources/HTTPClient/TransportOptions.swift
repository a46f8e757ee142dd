/// The options that all requests of a transport share.
package struct TransportOptions: Sendable, Equatable {
    package var connectTimeout: Duration = .seconds(10)
    /// The age after which a connection is not used again, so that a moved endpoint is found. The caller adds jitter.
    package var connectionLifetime: Duration = .seconds(600)
    /// The age after which the addresses of a host are looked up again.
    package var addressLifetime: Duration = .seconds(60)
    /// The most connections to one host; 0 for no limit.
    package var connectionsPerHost = 0
    /// The response headers to keep, in lower case.
    package var recordedHeaders: Set<String> = ["retry-after"]
    package var network = NetworkEnvironment()
    /// A PEM file with the certificates to trust. Then nothing else is trusted, neither the system's certificates nor
    /// those that `network` names.
    package var authorityFile: String?
    /// PEM files with the client certificate and its key.
    package var certificateFile: String?
    package var keyFile: String?

    package init() {}

    /// The files and folders of certificates and keys that are in use. Connections made before one of them changed know
    /// nothing of it: a new transport does.
    package var trustFiles: [String] {
        let folders = network.authorityFolders?.split(separator: ":").map(String.init) ?? []
        let authorities = authorityFile.map { [$0] } ?? [network.authorityFile].compactMap { $0 } + folders
        return authorities + [certificateFile, keyFile].compactMap { $0 }
    }
}

/// curl could not be set up: no memory was left, or it does not know an option.
package struct TransportError: Error, Sendable, Equatable, CustomStringConvertible {
    package let operation: String
    package let code: UInt32
    package let text: String

    package var description: String { "\(operation): \(text) (curl \(code))" }
}
