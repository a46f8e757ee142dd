/// How a database file is opened.
package struct ConnectionSettings: Sendable {
    /// When a commit waits for the device. https://www.sqlite.org/pragma.html#pragma_synchronous
    package enum Synchronous: String, Sendable {
        /// A power cut may damage the file: for what can be lost.
        case off = "OFF"
        /// A power cut may take the last commits, never damage the file.
        case normal = "NORMAL"
        /// What is committed stays committed.
        case full = "FULL"
    }

    package var isReadOnly = false
    /// Makes the file where it is missing.
    package var mayCreate = true
    package var synchronous = Synchronous.full
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
