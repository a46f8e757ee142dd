import Glibc
import Platform

/// The first page of a database: its header, and the list of its tables. SQLite can read nothing without it.
///
/// It is the same but for a few counters in all files that make the same tables in the same order. So a damaged one is
/// replaced by that of a new file. https://www.sqlite.org/fileformat2.html#the_database_header
package enum FirstPage {
    private static let page_bytes = 4_096
    /// The bytes that differ between sound files: change counter, number of pages, free pages, version numbers.
    private static let counters = [24..<40, 92..<100]
    /// The number of pages of the file, with the most significant byte first.
    private static let pageCount = 28..<32
    /// The format for writing and the one for reading: 1, or 2 with a write-ahead log.
    private static let formats = 18..<20
    private static let changeCounter = 24..<28
    /// The change counter for which the number of pages is right.
    private static let validFor = 92..<96

    /// Replaces the first page of the file at `path` by that of the file at `model`, and says that it has as many pages
    /// as it has. It does nothing to a file that does not look like `model`.
    package static func repair(_ path: String, like model: String) {
        guard let good = read(model), let bad = read(path) else { return }
        var same = 0
        var all = 0
        for place in 0..<page_bytes where good[place] != 0 && !counters.contains(where: { $0.contains(place) }) {
            all += 1
            if good[place] == bad[place] { same += 1 }
        }
        guard 2 * same > all else { return }
        var page = good
        let pages = UInt32(clamping: Folder.size_bytes(path) / page_bytes)
        for (index, place) in pageCount.enumerated() {
            page[place] = UInt8(truncatingIfNeeded: pages >> UInt32(24 - 8 * index))
        }
        for (counter, valid) in zip(changeCounter, validFor) { page[valid] = page[counter] }
        let file = open(path, O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        defer { close(file) }
        // The page is there already, so this needs no room. If it fails, SQLite reads what it can without it.
        _ = pwrite(file, page, page.count, 0)
    }

    /// The header says that a program of today may read and write the file. Otherwise SQLite opens it for reading only,
    /// as if a later program had written it. Nobody may have the file open.
    package static func isWritable(_ path: String) -> Bool {
        // A file without a whole page is new.
        guard let page = read(path) else { return true }
        return page[formats].allSatisfy { $0 <= 2 }
    }

    private static func read(_ path: String) -> [UInt8]? {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return nil }
        defer { close(file) }
        var page = [UInt8](repeating: 0, count: page_bytes)
        return pread(file, &page, page_bytes, 0) == page_bytes ? page : nil
    }
}
