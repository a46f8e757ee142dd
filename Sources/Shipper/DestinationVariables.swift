import RemoteWrite

/// The names of the variables that configure a destination.
///
/// This is the one table of them: settings are read by it, and messages name what is to be changed by it. A further
/// property of a destination is one row here, and one line of `DestinationSettings`.
package struct DestinationVariables: Sendable, Equatable {
    /// The destination that the `GRAFANA_PROM_*` and `REMOTE_WRITE_*` variables make.
    package static let standardName = ShippedSeries.defaultDestination
    /// The begin of the variables of all other destinations.
    package static let prefix = "REMOTE_WRITE_DESTINATION_"

    /// Nil for `default`.
    private let prefix: String?

    package init(of destination: String) {
        prefix = destination == Self.standardName ? nil : "\(Self.prefix)\(destination.uppercased())_"
    }

    package var isOfStandard: Bool { prefix == nil }

    package var url: String { name("URL", "GRAFANA_PROM_REMOTE_WRITE_URL") }
    package var username: String { name("USERNAME", "GRAFANA_PROM_USERNAME") }
    package var password: String { name("PASSWORD", "GRAFANA_API_KEY") }
    package var bearerToken: String { name("BEARER_TOKEN", "REMOTE_WRITE_BEARER_TOKEN") }
    package var headers: String { name("HEADERS", "REMOTE_WRITE_HEADERS") }
    package var message: String { name("MESSAGE", "REMOTE_WRITE_MESSAGE") }
    package var authorityFile: String { name("TLS_CA_FILE", "REMOTE_WRITE_TLS_CA_FILE") }
    package var certificateFile: String { name("TLS_CERT_FILE", "REMOTE_WRITE_TLS_CERT_FILE") }
    package var keyFile: String { name("TLS_KEY_FILE", "REMOTE_WRITE_TLS_KEY_FILE") }
    /// Nil for `default`: it gets all that `METRICS_EXCLUDE` leaves.
    package var include: String? { prefix.map { $0 + "INCLUDE" } }
    package var exclude: String? { prefix.map { $0 + "EXCLUDE" } }

    /// The variables that hold credentials, for a message that says what is to be set.
    package var credentials: String { "\(username) and \(password), or \(bearerToken)" }

    private func name(_ rest: String, _ ofStandard: String) -> String { prefix.map { $0 + rest } ?? ofStandard }
}
