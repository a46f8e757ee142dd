/// The settings with which a database file is opened.
package struct ConnectionSettings: Sendable {
    package var isReadOnly = false
    /// Reads the file alone: without its log, without a lock, and without making or changing any file. So it disturbs
    /// nobody who uses the file. If somebody does, what is read may be old, or fail as damaged.
    /// https://www.sqlite.org/uri.html#uriimmutable
    package var isImmutable = false
    /// Only looks at an existing file, read-only: nothing is changed, and no file is left beside it. Where nobody has
    /// made a log and its index, the file is all there is (`immutable`). Else both are read, by the index: as it is
    /// (`readonly_shm`), or made anew and removed again. Somebody may write meanwhile; what is committed later may be missing.
    /// https://www.sqlite.org/walformat.html#the_wal_index_file_format
    package var isLook = false
    /// Creates the file if it is missing.
    package var mayCreate = true
    /// Switches the file to a write-ahead log. If false, its mode stays as it is.
    package var usesWriteAheadLog = true
    /// Keeps every other connection out, in this process and in others. Then nothing is shared, so a write-ahead log
    /// needs neither shared memory nor locks per transaction. https://www.sqlite.org/wal.html#noshm
    package var isExclusive = false
    /// The time for which a statement waits for another connection's lock.
    package var busyTimeout = Duration.seconds(1)
    /// The memory of the page cache. Nil leaves it at SQLite's own default of 2 MiB.
    package var cache_kibibytes: Int?

    package init() {}
}
