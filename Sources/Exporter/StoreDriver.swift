package import Platform
package import Storage
import StoragePostgres
import StorageSQLite

/// Chooses the adapter for a database.
package enum StoreDriver {
    /// Returns the function that opens a database. This is the one place where the scheme of a URL chooses the driver.
    ///
    /// - Parameter interruption: ends the waits of a database over the network.
    package static func open(
        _ url: DatabaseURL, interruption: Interruption = Interruption()
    ) throws(DatabaseURL.URLFault) -> OpenDatabase {
        switch url {
        case .sqlite(let path):
            return { () throws(StoreError) in try SQLiteDatabase(path: path) }
        case .postgres(let url):
            try PostgresDatabase.check(url)
            return { () throws(StoreError) in try PostgresDatabase(url, interruption: interruption) }
        }
    }

    /// Returns the function that opens the database of the settings. The URL may change: it is read again for each
    /// connection.
    package static func open(
        _ settings: Settings, interruption: Interruption = Interruption()
    ) throws -> OpenDatabase {
        // A mistake in the URL is found now.
        _ = try open(DatabaseURL(settings.databaseLocation()))
        return { () throws(StoreError) in
            let openNow: OpenDatabase
            do {
                openNow = try open(DatabaseURL(settings.databaseLocation()), interruption: interruption)
            } catch {
                throw StoreError(.connectionLost, operation: "read DATABASE_URL", text: "\(error)")
            }
            return try openNow()
        }
    }
}
