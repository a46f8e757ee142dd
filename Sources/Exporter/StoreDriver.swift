package import Platform
package import Storage
import StoragePostgres
import StorageSQLite

/// Chooses the adapter for a database.
package enum StoreDriver {
    /// What opens a connection; it is called on the thread that will own it.
    package typealias Open = @Sendable () throws(StoreError) -> any Database

    /// The one place where a URL's scheme chooses the driver.
    ///
    /// - Parameter interruption: ends the wait of a database over the network.
    package static func open(
        _ url: DatabaseURL, interruption: Interruption = Interruption()
    ) throws(DatabaseURL.Problem) -> Open {
        switch url {
        case .sqlite(let path):
            return { () throws(StoreError) in try SQLiteDatabase(path: path) }
        case .postgres(let url):
            try PostgresDatabase.check(url)
            return { () throws(StoreError) in try PostgresDatabase(url, interruption: interruption) }
        }
    }

    /// The same for a URL that may change: it is read again for each connection.
    package static func open(
        _ settings: Settings, interruption: Interruption = Interruption()
    ) throws -> Open {
        // A mistake is found now.
        _ = try open(DatabaseURL(settings.databaseLocation()))
        return { () throws(StoreError) in
            let openNow: Open
            do {
                openNow = try open(DatabaseURL(settings.databaseLocation()), interruption: interruption)
            } catch {
                throw StoreError(.connectionLost, operation: "read DATABASE_URL", text: "\(error)")
            }
            return try openNow()
        }
    }
}
