package import Platform

/// The room that the spools of a folder have on its file system. A part of it is left to others, so that webhooks keep
/// the disk.
package struct SpoolRoom: Sendable, Equatable {
    /// The free bytes of the file system.
    package let free: ByteCount
    /// The bytes that are left to others.
    package let reserve: ByteCount
    /// The bytes that each spool may have if all of them need it. What spools take now is theirs.
    package let each: ByteCount

    /// - Parameters:
    ///   - taken: the bytes that the spools take now.
    ///   - spools: the number of spools.
    package init(free: ByteCount, total: ByteCount, taken: ByteCount, spools: Int) {
        self.free = free
        reserve = ByteCount(SpoolFile.reserve_bytes(total: total.bytes))
        each = ByteCount((max(0, free.bytes - reserve.bytes) + taken.bytes) / max(1, spools))
    }

    /// The room in the folder of the state. Nil if the file system does not tell.
    package init?(directory: String, destinations: [String]) {
        guard let space = Folder.space(of: directory) else { return nil }
        let taken = destinations.reduce(0) { $0 + SpoolFile.size_bytes(directory: directory, destination: $1) }
        self.init(
            free: ByteCount(space.free_bytes), total: ByteCount(space.size_bytes), taken: ByteCount(taken),
            spools: destinations.count)
    }

    /// True if spools may grow.
    package var isThere: Bool { free > reserve }
}

extension SpoolFile {
    /// The bytes of the spool of a destination and of its log on disk; 0 if it has none.
    package static func size_bytes(directory: String, destination: String) -> Int {
        let path = path(directory: directory, destination: destination)
        return Folder.size_bytes(path) + Folder.size_bytes(path + "-wal")
    }
}
