/// The value of `DATABASE_URL`. Every printed form of it masks the password.
package enum DatabaseURL: Sendable, Equatable {
    /// `sqlite:PATH`
    case sqlite(path: String)
    /// `postgres://…` or `postgresql://…`, as libpq reads it.
    case postgres(PostgresURL)

    /// An error in the URL. It repeats nothing of the value but its scheme.
    package struct URLFault: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
        package init(_ description: String) { self.description = description }
    }

    /// The connection text. Its printed form is without the password.
    package struct PostgresURL: Sendable, Equatable {
        /// The text with its secrets, for the one place that connects.
        package let exposed: String
    }

    package init(_ text: String) throws(URLFault) {
        let scheme = text.prefix { $0 != ":" }.lowercased()
        let rest = text.dropFirst(scheme.count + 1)
        switch scheme {
        case "sqlite":
            // `sqlite:///path` is the same path; `sqlite://host` would be on another machine.
            if rest.hasPrefix("//") && !rest.hasPrefix("///") {
                throw URLFault("expected sqlite:PATH, got sqlite:// with a host")
            }
            let path = rest.hasPrefix("///") ? rest.dropFirst(2) : rest
            guard !path.isEmpty, !path.utf8.contains(0) else {
                throw URLFault("expected sqlite:PATH, got no path")
            }
            self = .sqlite(path: String(path))
        case "postgres", "postgresql":
            guard rest.hasPrefix("//") else { throw URLFault("expected postgres://USER@HOST/DATABASE") }
            self = .postgres(PostgresURL(exposed: text))
        case "jdbc", "prisma+postgres", "postgresql+psycopg", "postgresql+psycopg2", "postgresql+asyncpg",
            "postgres+asyncpg", "postgis", "pgx", "pgx5":
            throw URLFault("expected postgres://USER@HOST/DATABASE, without the name of another client before it")
        default:
            throw URLFault("expected sqlite:PATH or postgres://…")
        }
    }
}

extension DatabaseURL: CustomStringConvertible, CustomDebugStringConvertible {
    package var description: String {
        switch self {
        case .sqlite(let path): "sqlite:\(path)"
        case .postgres(let url): url.description
        }
    }

    package var debugDescription: String { description }
}

extension DatabaseURL.PostgresURL: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
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

    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}
