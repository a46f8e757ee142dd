import Glibc

/// Which file is at a path, whatever is written to it.
struct FileIdentity: Equatable {
    private let device: dev_t
    private let inode: ino_t

    /// Nil where there is none. Wraps `stat`.
    init?(path: String) {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        device = status.st_dev
        inode = status.st_ino
    }
}
