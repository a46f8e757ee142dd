/// What all requests of a transport have in common.
package struct TransportOptions: Sendable, Equatable {
    package var connectTimeout: Duration = .seconds(10)
    /// A connection older than this is not used again, so that a moved endpoint is found. The caller adds jitter.
    package var connectionLifetime: Duration = .seconds(600)
    /// How long a looked-up address is kept.
    package var addressLifetime: Duration = .seconds(60)
    /// The most connections to one host; 0 leaves it to the number of requests.
    package var connectionsPerHost = 0
    /// Response headers to keep, in lower case.
    package var recordedHeaders: Set<String> = ["retry-after"]
    /// Certificates to trust in place of the system's: a PEM file.
    package var authorityFile: String?
    /// The certificate that proves who we are, and its key: PEM files.
    package var certificateFile: String?
    package var keyFile: String?

    package init() {}
}

/// curl could not be set up: out of memory, or an option it does not know.
package struct TransportError: Error, Sendable, Equatable, CustomStringConvertible {
    package let operation: String
    package let code: UInt32
    package let text: String

    package var description: String { "\(operation): \(text) (curl \(code))" }
}
