/// How a database file is opened.
package struct ConnectionSettings: Sendable {
    package var isReadOnly = false
    /// Makes the file where it is missing.
    package var mayCreate = true
    /// Switches the file to a write-ahead log; else it is left as it is.
    package var usesWriteAheadLog = true
    /// Keeps every other connection out, in this process and in others. Nothing is shared then, so a write-ahead log
    /// needs neither shared memory nor locks per transaction. https://www.sqlite.org/wal.html#noshm
    package var isExclusive = false
    /// How long a statement waits for the lock of another connection.
    package var busyTimeout = Duration.seconds(1)
    /// Memory for pages; SQLite's own default of 2 MiB where nil.
    package var cache_kibibytes: Int?

    package init() {}
}
