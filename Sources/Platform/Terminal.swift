import Glibc

/// A terminal that a program writes to.
package enum Terminal {
    /// Whether the file is a terminal. Wraps `isatty`.
    package static func isTerminal(_ file: Int32) -> Bool { isatty(file) == 1 }

    /// The terminal's columns; nil where the file is no terminal, or one that does not tell. Wraps `ioctl`.
    package static func columns(of file: Int32) -> Int? {
        guard isatty(file) == 1 else { return nil }
        var size = winsize()
        guard ioctl(file, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }
}
