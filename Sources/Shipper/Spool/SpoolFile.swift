package import RemoteWrite
import Glibc
import Platform
import SQLite
package import Wire

/// The file of a spool: the samples that wait for the receiver of one destination, in SQLite.
///
/// It knows rows of bytes, each with a checksum, and the declarations of series. A `commit` is one transaction in a
/// write-ahead log: whatever happens next, it is there as a whole or not at all. Samples are read one row at a time.
///
/// It belongs to the thread that made it. After an error `isOpen` tells whether it can be used on: a failed fsync cannot
/// be trusted to fail twice, so the file is then closed, and a new object reads it anew.
package final class SpoolFile {
    package enum Limits {
        /// Pages of the log at which they are moved into the file: 4 MiB. A large commit makes it larger for a moment.
        package static let log_pages = 1_000
        /// The size that the log may keep on disk after it was emptied.
        package static let log_bytes = 4 << 20
        /// The memory for pages. Samples are written once and read once.
        package static let cache_kibibytes = 512
        /// Pages that `shrink` gives back in one transaction: 4 MiB, so that the log stays small meanwhile.
        package static let returnedPages = 1_000
        /// The time for which a file is waited for that somebody else has open, such as a person with a shell.
        package static let busyTimeout = Duration.milliseconds(250)
        /// The least part of a file system that no spool takes, and the least share of it.
        package static let reserve_bytes = 128 << 20
        package static let reserve_percent = 10
    }

    package let path: String
    /// The content when it was opened. The series and the headers take memory until `forgetContents`.
    package private(set) var contents: SpoolContents
    /// The findings of the opening, in sentences for the log. Empty for a good or a new file.
    package let notes: [String]
    private var opened: OpenSpool?
    /// The reason why there is no connection.
    private var failure: SpoolError?
    /// A commit was made that a loss of power may take back.
    private var hasUnsynced = false
    private let owner = ThreadOwner()

    /// Opens the spool at `path`, or makes it and its folder. What cannot be read of a damaged file is counted in
    /// `contents` and is gone. A file that is no spool, or is of a newer program, is moved aside, and a new one is made.
    /// - Parameter now: the time in the names of files that are moved aside.
    package init(path: String, now: Timestamp) throws(SpoolError) {
        self.path = path
        var opener = SpoolOpener(path: path, now: now)
        opened = try opener.open()
        contents = opener.contents
        notes = opener.notes
    }

    /// `commit` and the readers can be tried. Once it is false it stays false: make a new object.
    package var isOpen: Bool { opened != nil }

    /// Frees the memory of `contents`.
    package func forgetContents() { contents = SpoolContents() }

    // MARK: Writing

    /// Makes all of `commit`, or throws and leaves everything as it was.
    ///
    /// An empty commit costs nothing, unless it is durable and one before it was not.
    package func commit(_ commit: SpoolCommit) throws(SpoolError) {
        owner.assertOwned("a spool")
        if commit.isEmpty && !(commit.isDurable && hasUnsynced) { return }
        let connection = try connection()
        guard var next = opened else { return }
        do throws(SQLiteError) {
            // Without `FULL` a commit survives the end of the process, and after a loss of power the spool is as it was
            // at an earlier commit. https://www.sqlite.org/pragma.html#pragma_synchronous
            try connection.execute(commit.isDurable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL")
            try connection.transaction { () throws(SQLiteError) in
                try next.write(commit)
            }
        } catch {
            throw fail(error, takingBack: true)
        }
        opened = next
        hasUnsynced = !commit.isDurable
    }

    // MARK: Reading

    /// Returns the samples of a block; nil if they are damaged or not there. The next commit may remove such a row.
    package func block(_ number: Int64) throws(SpoolError) -> PackedBlock? { try samples(number, in: .blocks) }

    /// Returns the samples of a batch; nil if they are damaged or not there.
    package func batch(_ number: Int64) throws(SpoolError) -> PackedBlock? { try samples(number, in: .batches) }

    private func samples(_ number: Int64, in table: SampleTable) throws(SpoolError) -> PackedBlock? {
        owner.assertOwned("a spool")
        let connection = try connection()
        do throws(SQLiteError) {
            return try table.samples(number, in: connection)
        } catch {
            throw fail(error)
        }
    }

    // MARK: Size

    /// The bytes of the file and of its log on disk.
    package var size_bytes: Int { Folder.size_bytes(path) + Folder.size_bytes(DatabaseFiles.logPath(path)) }

    /// Gives the pages of removed rows back to the file system, and empties the log. It moves pages around, at most as
    /// many as it gives back, so it is for the time when the disk is short of room.
    package func shrink() throws(SpoolError) {
        owner.assertOwned("a spool")
        let connection = try connection()
        do throws(SQLiteError) {
            try connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            while let free = try connection.number("PRAGMA freelist_count"), free > 0 {
                try connection.execute("PRAGMA incremental_vacuum(\(Limits.returnedPages))")
                try connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                let left = try connection.number("PRAGMA freelist_count") ?? 0
                if left >= free { break }
            }
        } catch {
            throw fail(error)
        }
    }

    // MARK: The end

    /// Closes the file. SQLite moves the log into it.
    package func close() {
        owner.assertOwned("a spool")
        opened?.connection.close()
        opened = nil
        if failure == nil { failure = SpoolError(.other, "\(path) is closed") }
    }

    /// Closes the spool and deletes its file: it is empty. A file that cannot be deleted is emptied.
    package func remove() {
        // A file that was put in place of this one is not ours.
        let isGone = failure?.kind == .gone || opened?.files.isInPlace == false
        close()
        if !isGone { Self.discard(path) }
    }

    // MARK: The connection

    private func connection() throws(SpoolError) -> Connection {
        guard let opened else { throw failure ?? SpoolError(.other, "\(path) is closed") }
        if !opened.files.isInPlace {
            // SQLite neither merges nor deletes a log whose file was moved. So the files at the paths now are safe.
            close()
            let error = SpoolError(.gone, "\(path) was removed or replaced")
            failure = error
            throw error
        }
        return opened.connection
    }

    /// Closes the connection after an error, unless it is sure to be good still.
    /// - Parameter takingBack: the error is that of a commit.
    private func fail(_ error: SQLiteError, takingBack: Bool = false) -> SpoolError {
        let failed = SpoolError(error, path: path)
        if let opened, !opened.connection.isInTransaction {
            // A full disk refuses the write itself, before anything is synchronized. Values are refused before that.
            switch error.condition {
            case .full, .refused, .busy: return failed
            case .readOnly, .unreachable, .damaged, .other: break
            }
            if takingBack && failed.kind != .damaged { opened.takeBack() }
        }
        let isInPlace = opened?.files.isInPlace ?? false
        failure = failed
        close()
        // If the file cannot be renamed, the next opening finds out by itself that it is damaged.
        if failed.kind == .damaged && isInPlace { try? SpoolOpener.setAsideForSalvage(path) }
        return failed
    }
}
