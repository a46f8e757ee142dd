/// What lkpush keeps in the application's database and asks of it: rows out, organizations and reports back.
///
/// Pure logic over the port: it neither waits nor retries, and every time is a parameter. It belongs to the thread of
/// its connection. After an error that is not `refused` the connection is in doubt, the store itself never.
package final class ApplicationStore {
    let database: any Database
    let lookup: LookupQuery
    /// The table of positions can be used: found out by `migrate`.
    var keepsPositions = false
    /// Why the database keeps no positions of rows, nor who wrote them; nil where it does, or before `migrate`.
    package internal(set) var positionsWithheld: StoreError?

    package init(_ database: any Database, lookup: LookupQuery = .standard) {
        self.database = database
        self.lookup = lookup
    }

    /// Ends the connection.
    package func close() { database.close() }
}
