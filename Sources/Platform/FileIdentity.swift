import Glibc

/// The identity of the file at a path: its device and inode. Writing to the file does not change it.
package struct FileIdentity: Sendable, Equatable {
    private let device: dev_t
    private let inode: ino_t

    /// Returns nil if there is no file. Wraps `stat`.
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

/// A stamp of the file at a path. It changes when the file is replaced or written.
package struct FileStamp: Sendable, Equatable {
    private let identity: FileIdentity
    private let size: off_t
    private let modifiedSeconds: Int
    private let modifiedNanoseconds: Int

    /// Returns nil if there is no file. Wraps `stat`.
    package init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        identity = FileIdentity(status)
        size = status.st_size
        modifiedSeconds = status.st_mtim.tv_sec
        modifiedNanoseconds = status.st_mtim.tv_nsec
    }
}
