import Glibc

/// Which file is at a path, whatever is written to it.
package struct FileIdentity: Sendable, Equatable {
    private let device: dev_t
    private let inode: ino_t

    /// Nil where there is none. Wraps `stat`.
    package init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        self.init(status)
    }

    fileprivate init(_ status: stat) {
        device = status.st_dev
        inode = status.st_ino
    }
}

/// What changes when the file at a path is replaced or written.
package struct FileStamp: Sendable, Equatable {
    private let identity: FileIdentity
    private let size: off_t
    private let modifiedSeconds: Int
    private let modifiedNanoseconds: Int

    /// Nil where there is none. Wraps `stat`.
    package init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        identity = FileIdentity(status)
        size = status.st_size
        modifiedSeconds = status.st_mtim.tv_sec
        modifiedNanoseconds = status.st_mtim.tv_nsec
    }
}
