package import Storage

/// `postgres://…` or `postgresql://…`, as libpq reads it. Its printed form is without the password.
package struct PostgresURL: DatabaseURL, Equatable, CustomReflectable {
    package static let schemes =
        libpqSchemes + [
            "jdbc", "prisma+postgres", "postgresql+psycopg", "postgresql+psycopg2", "postgresql+asyncpg",
            "postgres+asyncpg", "postgis", "pgx", "pgx5",
        ]
    package static let form = "postgres://…"
    package static let help = "`postgres://…` as libpq reads it"

    private static let libpqSchemes = ["postgres", "postgresql"]

    /// The text with its secrets, for the one place that connects.
    package let exposed: String

    package init(_ text: String) throws(DatabaseURLFault) {
        let scheme = text.prefix { $0 != ":" }.lowercased()
        guard Self.libpqSchemes.contains(scheme) else {
            throw DatabaseURLFault(
                "expected postgres://USER@HOST/DATABASE, without the name of another client before it")
        }
        guard text.dropFirst(scheme.count + 1).hasPrefix("//") else {
            throw DatabaseURLFault("expected postgres://USER@HOST/DATABASE")
        }
        exposed = text
    }

    /// Throws if libpq cannot read the URL, without connecting.
    package func check() throws(DatabaseURLFault) { _ = try PostgresAddress(self) }

    /// The text without the password of the user part, and without the values of parameters that may hold a secret.
    package var description: String {
        let scheme = exposed.prefix { $0 != ":" }
        let rest = exposed.dropFirst(scheme.count + 3)
        var place = rest.prefix { $0 != "?" }
        // A password may hold an unescaped `?`, too: libpq first looks for the `@`, as far as the first `/`.
        if !place.contains("@"), !place.contains("/"), let at = rest.prefix(while: { $0 != "/" }).lastIndex(of: "@") {
            place = rest[..<(rest[at...].firstIndex(of: "?") ?? rest.endIndex)]
        }
        let query = place.endIndex < rest.endIndex ? rest[place.endIndex...].dropFirst() : nil
        var user = ""
        // A password may hold an unescaped `@` or `/`: everything before the last `@` is the user part.
        if let at = place.lastIndex(of: "@") {
            let part = place[..<at]
            user = part.contains(":") ? part.prefix { $0 != ":" } + ":••••@" : part + "@"
            place = place[place.index(after: at)...]
        }
        let shown = query.map { query in
            "?"
                + query.split(separator: "&").map { pair in
                    let name = pair.prefix { $0 != "=" }
                    return Self.shown.contains(String(name)) ? String(pair) : "\(name)=••••"
                }.joined(separator: "&")
        }
        return "\(scheme)://\(user)\(place)\(shown ?? "")"
    }

    /// The parameters whose values are never secret. Any other one may be a misspelt `password`.
    private static let shown: Set<String> = [
        "application_name", "connect_timeout", "dbname", "host", "hostaddr", "options", "port", "sslcert", "sslcrl",
        "sslkey", "sslmode", "sslrootcert", "target_session_attrs", "user",
    ]

    package var customMirror: Mirror { Mirror(self, children: []) }
}
