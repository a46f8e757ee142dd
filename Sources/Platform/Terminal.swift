import Glibc

/// Output for people on standard output and standard error, whether that is a terminal or not.
package enum Terminal {
    /// The longest wait for a reader of standard error. After it the program ends without having written.
    private static let patience = Duration.seconds(5)

    /// True if the descriptor is a terminal. Wraps `isatty`.
    package static func isTerminal(_ file: Int32) -> Bool { isatty(file) == 1 }

    /// The width of the terminal in columns. Nil if the descriptor is no terminal, or one that does not know.
    package static func columns(of file: Int32) -> Int? { size(of: file)?.columns }

    /// The size of the terminal. Nil if the descriptor is no terminal, or one that does not know. Wraps `ioctl`.
    package static func size(of file: Int32) -> (rows: Int, columns: Int)? {
        guard isatty(file) == 1 else { return nil }
        var size = winsize()
        guard ioctl(file, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return (max(1, Int(size.ws_row)), Int(size.ws_col))
    }

    /// Writes a line to standard output, and waits for its reader without a limit. It is for commands whose only task
    /// is this output. If the other end is closed, the output is lost.
    package static func printLine(_ text: String, terminator: String = "\n") {
        var output = DescriptorOutput(STDOUT_FILENO)
        _ = output.write(Array((text + terminator).utf8))
    }

    /// Writes lines to standard output, and waits for its reader without a limit. Returns false if they cannot be
    /// written; `errno` says why.
    package static func write(_ lines: String) -> Bool {
        var output = DescriptorOutput(STDOUT_FILENO)
        return output.write(Array(lines.utf8)) == lines.utf8.count
    }

    /// Writes to standard error, and gives up after 5 s without a reader, so that an error message cannot keep a
    /// service from ending.
    package static func printError(_ text: String) {
        var output = DescriptorOutput(STDERR_FILENO, patience: patience)
        _ = output.write(Array(text.utf8))
    }
}
