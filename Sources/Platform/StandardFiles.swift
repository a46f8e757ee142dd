import Glibc

/// Descriptors 0, 1 and 2: standard input, output and error.
package enum StandardFiles {
    /// Opens `/dev/null` on whichever is closed, so that no file, socket or pipe of the program gets a number that
    /// somebody writes words to. Call it first in `main`, before anything opens a descriptor.
    ///
    /// Where there is no `/dev/null`, the number is taken by a folder: what is written to it fails and goes nowhere.
    package static func occupy() {
        for file in STDIN_FILENO...STDERR_FILENO {
            guard fcntl(file, F_GETFD) == -1, errno == EBADF else { continue }
            // The lowest free number is given: it is this one, since those below are taken.
            if open("/dev/null", O_RDWR) == -1 { _ = open("/", O_RDONLY | O_DIRECTORY) }
        }
    }
}
