import Glibc

/// File descriptors 0, 1 and 2: standard input, output and error.
package enum StandardFiles {
    /// Opens `/dev/null` on each of the three that is closed. Otherwise a file, socket or pipe of the program could get
    /// such a number, and text for people would be written into it. Call it first in `main`, before anything opens a
    /// descriptor.
    ///
    /// If there is no `/dev/null`, the root directory takes the number: every write to it fails.
    package static func occupy() {
        for file in STDIN_FILENO...STDERR_FILENO {
            guard fcntl(file, F_GETFD) == -1, errno == EBADF else { continue }
            // `open` gives the lowest free number. It is this one, because the lower ones are taken.
            if open("/dev/null", O_RDWR) == -1 { _ = open("/", O_RDONLY | O_DIRECTORY) }
        }
    }
}
