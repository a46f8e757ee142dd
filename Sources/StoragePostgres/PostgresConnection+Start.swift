import CPostgres
import Glibc

extension PostgresConnection {
    /// Starts to connect; nil only without memory. Only the look-up of a host name may wait. Wraps
    /// `PQconnectStartParams`.
    static func start(_ address: PostgresAddress) -> OpaquePointer? {
        // The URL comes between what it may set otherwise, and what lkpush depends on.
        let parameters = [
            ("fallback_application_name", "lkpush"),
            // A peer that is gone is noticed within 25 s while nothing is sent, within 10 s otherwise.
            ("keepalives", "1"), ("keepalives_idle", "10"), ("keepalives_interval", "5"), ("keepalives_count", "3"),
            ("tcp_user_timeout", "10000"),
            ("dbname", address.url),
            ("client_encoding", "UTF8"),
        ]
        let names = parameters.map { strdup($0.0) } + [nil]
        let values = parameters.map { strdup($0.1) } + [nil]
        defer { for text in names + values { free(text) } }
        let handle = PQconnectStartParams(
            names.map { UnsafePointer($0) }, values.map { UnsafePointer($0) }, 1)
        // Otherwise libpq writes what the server has to remark to standard error.
        if let handle { PQsetNoticeReceiver(handle, { _, _ in }, nil) }
        return handle
    }
}
