package import Storage
import StorageSQLite

/// Chooses the adapter for a database.
package enum StoreDriver {
    /// What opens a connection; it is called on the thread that will own it.
    package typealias Open = @Sendable () throws(StoreError) -> any Database

    /// The one place where a URL's scheme chooses the driver.
    package static func open(_ url: DatabaseURL) throws(DatabaseURL.Problem) -> Open {
        switch url {
        case .sqlite(let path): { () throws(StoreError) in try SQLiteDatabase(path: path) }
        case .postgres: throw DatabaseURL.Problem("PostgreSQL is not available in this version; expected sqlite:PATH")
        }
    }
}
