package import Platform
import Postgres
package import Storage
import StoragePostgres
import StorageSQLite

/// Chooses the adapter for a database.
package enum StoreDriver {
    /// The databases that lkpush can use, a row for each. This is the one place where the scheme of a URL chooses the
    /// driver.
    private static let rows = [
        Row(SQLiteURL.self, file: { $0.path }) { url, _, isLook in
            { () throws(StoreError) in
                isLook ? try SQLiteDatabase(lookingAt: url.path) : try SQLiteDatabase(path: url.path)
            }
        },
        Row(PostgresURL.self, file: { _ in nil }) { url, interruption, _ in
            { () throws(StoreError) in try PostgresDatabase(url, interruption: interruption) }
        },
    ]

    private struct Row: Sendable {
        let schemes: [String]
        let form: String
        let help: String
        let locate: @Sendable (String, Interruption) throws(DatabaseURLFault) -> Location

        init<URL: DatabaseURL>(
            _: URL.Type, file: @escaping @Sendable (URL) -> String?,
            open: @escaping @Sendable (URL, Interruption, _ isLook: Bool) -> OpenDatabase
        ) {
            schemes = URL.schemes
            form = URL.form
            help = URL.help
            locate = { text, interruption throws(DatabaseURLFault) in
                let url = try URL(text)
                try url.check()
                return Location(
                    description: url.description, file: file(url), open: open(url, interruption, false),
                    look: open(url, interruption, true))
            }
        }
    }

    /// A database that a URL names.
    package struct Location: Sendable, CustomStringConvertible {
        /// The URL without its secrets.
        package let description: String
        /// The path of the database, if it is a file.
        package let file: String?
        package let open: OpenDatabase
        /// Opens it only to look, so that no file is made or changed.
        package let look: OpenDatabase
    }

    /// Returns the database that a URL names. It does not connect.
    ///
    /// - Parameter interruption: ends the waits of a database over the network.
    package static func location(
        of url: String, interruption: Interruption = Interruption()
    ) throws(DatabaseURLFault) -> Location {
        let scheme = url.prefix { $0 != ":" }.lowercased()
        guard let row = rows.first(where: { $0.schemes.contains(scheme) }) else {
            throw DatabaseURLFault("expected \(rows.map(\.form).joined(separator: " or "))")
        }
        return try row.locate(url, interruption)
    }

    /// The forms of URLs, for the list of settings.
    static var help: String { rows.reversed().map(\.help).joined(separator: ", or ") }

    /// Returns the function that opens the database of the settings. The URL may change: it is read again for each
    /// connection.
    package static func open(
        _ settings: Settings, interruption: Interruption = Interruption()
    ) throws -> OpenDatabase {
        // A mistake in the URL is found now.
        _ = try location(of: settings.databaseLocation())
        return { () throws(StoreError) in
            let now: Location
            do {
                now = try location(of: settings.databaseLocation(), interruption: interruption)
            } catch {
                throw StoreError(.connectionLost, operation: "read DATABASE_URL", text: "\(error)")
            }
            return try now.open()
        }
    }
}
