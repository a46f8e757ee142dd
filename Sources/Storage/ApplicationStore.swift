package import Wire

/// The application's database as lkpush uses it: it writes rows, and reads organizations and reports.
///
/// Pure logic over the port: it neither waits nor retries, and every time is a parameter. It belongs to the thread of
/// its connection. After an error that is not `refused` the connection is in doubt, but never the store itself.
package final class ApplicationStore {
    let database: any Database
    let lookup: LookupQuery
    /// The optional tables that can be used, as far as `migrate` found them. None before it.
    package internal(set) var usable: Set<OptionalTable> = []
    /// The reasons why others cannot be used.
    var withheldTables: [OptionalTable: StoreError] = [:]

    package init(_ database: any Database, lookup: LookupQuery = .standard) {
        self.database = database
        self.lookup = lookup
    }

    /// The table of positions can be used.
    var keepsPositions: Bool { usable.contains(.positions) }

    /// Returns the time of the database's own clock, rounded down to a millisecond. Nil if it has none, or does not tell.
    package func now() throws(StoreError) -> Timestamp? {
        do throws(StoreError) {
            return try database.now()
        } catch {
            // A server that only calls itself PostgreSQL may lack this function. Nothing depends on it.
            if error.kind == .connectionLost { throw error }
            return nil
        }
    }

    /// Throws if the database is not there any more.
    package func ping() throws(StoreError) { try database.ping() }

    /// Ends the connection.
    package func close() { database.close() }
}
