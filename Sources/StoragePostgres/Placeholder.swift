import CPostgres

/// Stands for the adapter until it is here.
enum Placeholder { static let version = PQlibVersion() }
