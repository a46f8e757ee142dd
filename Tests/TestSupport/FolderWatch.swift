import Glibc
package import Platform

/// Notes which files of a folder are opened, changed, made or removed, by whatever process. Wraps inotify.
/// https://man7.org/linux/man-pages/man7/inotify.7.html
package final class FolderWatch {
    /// `IN_ALL_EVENTS`
    private static let all: UInt32 = 0xFFF
    private let file: Int32
    /// The names of all files that were touched so far.
    private var touched: Set<String> = []

    /// The folder must exist.
    package init(_ folder: String) throws(SystemError) {
        file = inotify_init1(Int32(IN_NONBLOCK) | Int32(IN_CLOEXEC))
        guard file >= 0 else { throw SystemError("inotify_init1", folder) }
        guard inotify_add_watch(file, folder, Self.all) >= 0 else {
            throw SystemError("inotify_add_watch", folder)
        }
    }

    deinit { close(file) }

    /// The names of all files that were touched since the beginning.
    package var names: Set<String> {
        let head = MemoryLayout<inotify_event>.size
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = read(file, &buffer, buffer.count)
            guard count > 0 else { return touched }
            var offset = 0
            while offset + head <= count {
                let length = buffer.withUnsafeBytes {
                    $0.loadUnaligned(fromByteOffset: offset, as: inotify_event.self).len
                }
                let name = buffer[(offset + head)..<(offset + head + Int(length))].prefix { $0 != 0 }
                touched.insert(String(decoding: name, as: UTF8.self))
                offset += head + Int(length)
            }
        }
    }
}
