package import Journal
import Glibc
import Platform
import SQLite
package import Wire

/// The journal in SQLite: accepted events and their consequences are on disk before anybody is told.
///
/// It knows bytes and numbers. Events and inputs are numbered from 1, each kind by itself, and stored in groups. Rows
/// for the database wait in the outbox, numbered as the recorder emitted them. A `commit` is one transaction with one
/// fsync, in a write-ahead log with `synchronous=FULL`: whatever happens next, it is there as a whole or not at all.
///
/// It belongs to the thread that made it. After an error call `reopen` before the next attempt: a failed fsync cannot
/// be trusted to fail twice, so the file is read anew. The folder must be locked (`StateLock`). As a second line of
/// defence SQLite keeps other processes out of the file.
package final class JournalFile {
    package enum Limits {
        /// Truncated groups that one commit deletes. 256 groups of 256 events are 10 MB to walk through, some 10 ms.
        package static let truncatedGroups = 256
        /// Pages of the log at which they are moved into the file: 4 MiB. A larger log would save little under load,
        /// and both files together must stay small on a quiet day.
        package static let log_pages = 1_000
        /// The size that the log may keep on disk after it was emptied. A commit with many ids makes it larger for a
        /// moment.
        package static let log_bytes = 4 << 20
        /// Free pages that are kept for use: 16 MiB. Further ones are given back to the file system.
        package static let freePages = 4_096
        /// Free pages that one commit gives back: 1 MiB each time.
        package static let returnedPages = 256
        /// The memory for pages. The journal is written far more than it is read.
        package static let cache_kibibytes = 1_024
        /// A file up to this size is checked as a whole when it is opened, which takes about 1 s per GiB. Damage in a
        /// larger one is found when it is read.
        package static let checked_bytes = 512 << 20
    }

    /// The name of the file in its folder.
    package static let name = "journal.db"

    package let directory: String
    /// The result of the last opening.
    package private(set) var opening: Opening
    /// The numbers that it holds, as of the last commit.
    package private(set) var numbers: JournalNumbers
    private var opened: OpenFile?
    /// The reason why there is no connection.
    private var failure: JournalError?
    private let owner = ThreadOwner()

    /// Opens the journal in `directory`, or makes both. A file that is damaged or of a newer program is moved aside,
    /// and what can still be read of a damaged one is taken over; `opening` tells.
    /// - Parameter now: the time in the names of files that are moved aside.
    package init(directory: String, now: Timestamp) throws(JournalError) {
        self.directory = directory
        var opener = JournalOpener(directory: directory, now: now)
        let opened = try opener.open(expecting: nil)
        self.opened = opened
        opening = opener.opening
        numbers = opened.numbers
    }

    // MARK: Contents

    /// `commit` can be tried. After an error it is false until `reopen` succeeds.
    package var isOpen: Bool { opened != nil }

    // MARK: Writing

    /// Makes all of `commit` durable, or throws and leaves everything as it was.
    ///
    /// An empty commit costs nothing. Numbers that do not follow the last ones are refused (`JournalError.Kind.other`).
    @discardableResult
    package func commit(_ commit: Commit) throws(JournalError) -> CommitReceipt {
        owner.assertOwned("the journal")
        if commit.isEmpty { return CommitReceipt() }
        let connection = try connection()
        var next = numbers
        try number(commit, in: &next)
        do throws(SQLiteError) {
            try connection.begin()
            do throws(SQLiteError) {
                try Self.write(commit, to: connection, &next)
            } catch {
                connection.rollBack()
                throw error
            }
            try connection.commit()
        } catch {
            throw fail(error)
        }
        numbers = next
        return CommitReceipt()
    }

    /// Deletes the `count` oldest rows of the outbox, for which there is no room. Returns how many there were.
    package func dropOldestRows(_ count: Int) throws(JournalError) -> Int {
        try use { connection throws(SQLiteError) in
            try connection.run(
                "DELETE FROM outbox WHERE sequence IN (SELECT sequence FROM outbox ORDER BY sequence LIMIT ?1)",
                .integer(Int64(count)))
        }
    }

    /// Opens the journal again after an error. It does nothing while the journal is open and in place.
    ///
    /// Committed data is there, or `opening.mayHaveLost` is true. The remains of a failed commit are removed.
    /// A new file is made if the old one is gone, or if another one is in its place (`opening.isNew`).
    @discardableResult
    package func reopen(now: Timestamp) throws(JournalError) -> Opening {
        owner.assertOwned("the journal")
        if let opened, opened.isInPlace { return Opening() }
        close()
        var opener = JournalOpener(directory: directory, now: now)
        let opened = try opener.open(expecting: numbers, wasDamaged: failure?.kind == .damaged)
        self.opened = opened
        numbers = opened.numbers
        opening = opener.opening
        failure = nil
        return opening
    }

    /// Closes the journal; SQLite moves the log into the file. `reopen` opens it again.
    package func close() {
        owner.assertOwned("the journal")
        opened?.connection.close()
        opened = nil
        if failure == nil { failure = JournalError(.other, "the journal is closed") }
    }

    // MARK: Size

    /// The bytes of the used pages and of the log. Free pages do not count, because they can be used again.
    package func size_bytes() throws(JournalError) -> Int {
        let pages = try use { connection throws(SQLiteError) in
            let all = try connection.number("PRAGMA page_count") ?? 0
            let free = try connection.number("PRAGMA freelist_count") ?? 0
            return (all - free) * (try connection.number("PRAGMA page_size") ?? 0)
        }
        return Int(pages) + Folder.size_bytes(OpenFile.logPath(directory))
    }

    // MARK: The connection

    /// Calls `body` with the connection. An error closes the connection, unless it is sure to be good still.
    func use<Result>(_ body: (Connection) throws(SQLiteError) -> Result) throws(JournalError) -> Result {
        owner.assertOwned("the journal")
        let connection = try connection()
        do throws(SQLiteError) {
            return try body(connection)
        } catch {
            throw fail(error)
        }
    }

    private func connection() throws(JournalError) -> Connection {
        guard let opened else { throw failure ?? JournalError(.other, "the journal is closed") }
        if !opened.isInPlace {
            // SQLite neither merges nor deletes a log whose file was moved. So the files at the paths now are safe.
            close()
            let error = JournalError(.gone, "\(directory)/\(Self.name) was removed or replaced")
            failure = error
            throw error
        }
        return opened.connection
    }

    private func fail(_ error: SQLiteError) -> JournalError {
        let failed = JournalError(error, in: directory)
        // A full disk refuses the write itself, before anything is synchronized. So the connection is good.
        if error.condition == .full, let opened, !opened.connection.isInTransaction { return failed }
        failure = failed
        close()
        return failed
    }

    /// Checks that the numbers of `commit` follow `numbers`, and moves `numbers` on.
    private func number(_ commit: Commit, in numbers: inout JournalNumbers) throws(JournalError) {
        for table in EntryKind.allCases {
            let base = table == .events ? commit.truncation?.events : commit.truncation?.inputs
            if let base, base > numbers[base: table] {
                numbers[base: table] = base
                numbers[last: table] = max(numbers[last: table], base)
                numbers.hasStaleGroups = true
            }
            let group = table == .events ? commit.events : commit.inputs
            if group.isEmpty { continue }
            guard group.first == numbers[last: table] + 1 else {
                throw JournalError(
                    .other, "\(table) begin at \(group.first), the journal ends at \(numbers[last: table])")
            }
            numbers[last: table] = group.last
        }
    }
}

/// An open journal: its connection, and the identity of its files.
struct OpenFile {
    let connection: Connection
    let numbers: JournalNumbers
    private let files: DatabaseFiles

    /// Nil where a file disappeared since it was opened.
    init?(_ connection: Connection, numbers: JournalNumbers) {
        guard let files = DatabaseFiles(path: connection.path) else { return nil }
        self.files = files
        self.connection = connection
        self.numbers = numbers
    }

    /// Both files are still the ones at their paths, so that what is written can be found again.
    var isInPlace: Bool { files.isInPlace }

    static func logPath(_ directory: String) -> String { DatabaseFiles.logPath("\(directory)/\(JournalFile.name)") }
}
