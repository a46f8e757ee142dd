import CPostgres
import Glibc
import Wire

extension PostgresConnection {
    /// Starts to connect. Returns nil only if there is no memory. Only the resolution of a host name may block. Wraps
    /// `PQconnectStartParams`.
    static func start(
        _ address: PostgresAddress, _ settings: PostgresSettings, _ notices: Notices
    ) -> OpaquePointer? {
        // libpq lets later parameters win. The URL may override those before it, but not those after it, which lkpush
        // depends on.
        var parameters = [
            ("fallback_application_name", "lkpush"),
            // These find a dead peer within 25 s if nothing is sent, and within `peerTimeout` otherwise.
            ("keepalives", "1"), ("keepalives_idle", "10"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "\(settings.peerTimeout.milliseconds)"),
        ]
        if settings.writes { parameters.append(("target_session_attrs", "read-write")) }
        parameters += [("dbname", address.url), ("client_encoding", "UTF8")]
        let names = parameters.map { strdup($0.0) } + [nil]
        let values = parameters.map { strdup($0.1) } + [nil]
        defer { for text in names + values { free(text) } }
        let handle = PQconnectStartParams(
            names.map { UnsafePointer($0) }, values.map { UnsafePointer($0) }, 1)
        // Without a receiver libpq writes the server's notices to standard error.
        if let handle { notices.receive(from: handle) }
        return handle
    }
}
