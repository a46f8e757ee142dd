import Glibc
import Platform

/// All files below a folder: names, kinds, owners, times of change, and contents.
package struct FolderPicture: Equatable, CustomStringConvertible {
    private struct Item: Equatable {
        let mode: UInt32
        let user: UInt32
        let size: Int64
        let inode: UInt64
        let changed_ns: Int64
        let content: [UInt8]
    }

    private var items: [String: Item] = [:]

    package init(of path: String) throws { try add(path) }

    private mutating func add(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { throw SystemError("stat", path) }
        let kind = status.st_mode & S_IFMT
        items[path] = Item(
            mode: status.st_mode, user: status.st_uid, size: Int64(status.st_size), inode: UInt64(status.st_ino),
            changed_ns: Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec),
            content: kind == S_IFREG ? try FileStore.read(path, limit: 64 << 20) : [])
        guard kind == S_IFDIR else { return }
        for name in try Folder.names(path) { try add("\(path)/\(name)") }
    }

    package var description: String {
        items.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.size) \($0.value.changed_ns)" }
            .joined(separator: "\n")
    }
}
