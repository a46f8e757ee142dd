package import Journal
package import Platform
package import Postgres
import Storage

/// A log in PostgreSQL that several processes share. Nothing connects before it is used.
package struct PostgresLog: Sendable {
    let place: LogPlace

    /// - Parameters:
    ///   - name: tells the logs in one database apart.
    ///   - interruption: ends every wait, for good.
    package init(
        url: PostgresURL, name: String, interruption: Interruption = Interruption(),
        settings: LogSettings = LogSettings()
    ) {
        place = LogPlace(url: url, name: name.sendable, settings: settings, interruption: interruption)
    }

    /// Makes the end of the log, for the thread that appends.
    package func eventLog() -> any EventLog { PostgresEventLog(place) }

    /// Makes the lease of the log, for the thread that looks after it.
    package func lease() -> any LogLease { PostgresLease(place) }

    /// Makes the journal for the process that took the lease under this epoch.
    ///
    /// - Parameters:
    ///   - snapshotFormat: the format of the snapshot bodies that this program writes. Older ones are read as well.
    ///   - hasLost: something that had been committed is known to be missing.
    package func journal(epoch: Int64, snapshotFormat: Int, hasLost: Bool = false) -> OpenJournal {
        let place = place
        return { (_) throws(JournalError) in
            .opened(
                try PostgresJournal(place, epoch: epoch, snapshotFormat: snapshotFormat, hasLost: hasLost))
        }
    }

    /// Looks how durable the database is. It makes no tables.
    package func look() throws(JournalError) -> SynchronousFacts {
        try JournalError.ofDatabase { () throws(StoreError) in
            let connection = try place.connect()
            defer { connection.close() }
            return try SynchronousFacts(over: connection)
        }
    }
}
