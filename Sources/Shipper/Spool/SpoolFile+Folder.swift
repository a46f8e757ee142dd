import Glibc
import Platform
import SQLite
package import Wire

/// The files of spools in a folder, and the room on their file system. Any thread may call these.
extension SpoolFile {
    private static let prefix = "spool-"
    private static let suffix = ".db"
    /// The ends of the names of the files that SQLite puts beside a database.
    static let companions = ["-wal", "-shm", "-journal"]
    /// The end of the name of a damaged spool that is to be salvaged, and that of the new file until it is finished.
    static let damaged = ".damaged"
    static let salvage = ".salvage"

    /// Returns the path of the spool of a destination in the folder of the state.
    package static func path(directory: String, destination: String) -> String {
        "\(directory)/\(prefix)\(destination)\(suffix)"
    }

    /// Returns true if there is a spool, be it damaged.
    package static func exists(at path: String) -> Bool { Folder.exists(path) || Folder.exists(path + damaged) }

    /// Returns the destinations that have a spool in this folder, sorted, also those that are no longer configured. A
    /// folder that cannot be read has none.
    package static func names(in directory: String) -> [String] {
        // Opening the spool of a destination that is known says what is wrong with the folder.
        guard let names = try? Folder.names(directory) else { return [] }
        let found = names.compactMap { name -> String? in
            guard name.hasPrefix(prefix) else { return nil }
            let end = [suffix, suffix + damaged].first { name.hasSuffix($0) }
            guard let end, name.count > prefix.count + end.count else { return nil }
            let destination = name.dropFirst(prefix.count).dropLast(end.count)
            return destination.utf8.allSatisfy(isNamePart) ? String(destination) : nil
        }
        return Set(found).sorted()
    }

    /// A destination is `[a-z][a-z0-9]*`, or that with `-own` of a replica. So no other file is taken for a spool.
    private static func isNamePart(_ byte: UInt8) -> Bool {
        (0x61...0x7A).contains(byte) || (0x30...0x39).contains(byte) || byte == 0x2D
    }

    /// Deletes the file of a spool that nobody has open, with everything that belongs to it. What cannot be deleted is
    /// emptied. Files that were moved aside stay for a person to look at.
    package static func discard(_ path: String) {
        // The file goes before its log: an older content of it must not be taken for the newest.
        for file in [path + salvage, path + damaged, path] {
            for name in [file] + companions.map({ file + $0 }) where unlink(name) != 0 && errno != ENOENT {
                // An empty file is an empty database, and SQLite ignores a log beside one.
                truncate(name, 0)
            }
        }
    }

    /// The size of a spool whose destination is not configured.
    package struct Glimpse: Sendable, Equatable {
        /// The samples in it.
        package let samples: Int
        /// The time of the newest one; nil if there is none.
        package let newest: Timestamp?

        package init(samples: Int, newest: Timestamp?) {
            self.samples = samples
            self.newest = newest
        }
    }

    /// Looks at a spool that nobody has open, without changing it or leaving files beside it. Nil if there is none that
    /// can be read.
    package static func glimpse(at path: String) -> Glimpse? {
        var settings = ConnectionSettings()
        settings.isLook = true
        settings.busyTimeout = .zero
        settings.cache_kibibytes = Limits.cache_kibibytes
        var samples = 0
        var newest: Int64?
        do throws(SQLiteError) {
            let connection = try Connection(path: path, settings)
            defer { connection.close() }
            for table in SampleTable.allCases {
                try table.forEachHead(in: connection) { head, isIntact in
                    guard isIntact else { return }
                    samples += Int(head.count)
                    if head.count > 0 { newest = max(newest ?? head.newest, head.newest) }
                }
            }
        } catch {
            return nil
        }
        return Glimpse(samples: samples, newest: newest.map { Timestamp(milliseconds: $0) })
    }

    // MARK: Room

    /// The part of a file system of `total` bytes that no spool takes, so that webhooks keep the disk.
    package static func reserve_bytes(total: Int) -> Int {
        max(Limits.reserve_bytes, total / 100 * Limits.reserve_percent)
    }
}
