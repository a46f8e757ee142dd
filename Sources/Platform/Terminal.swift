import Glibc

/// Where a program writes words for people: standard output and error, a terminal or not.
package enum Terminal {
    /// Who does not read an error for so long does not read it: the program ends without.
    private static let patience = Duration.seconds(5)

    /// Whether the file is a terminal. Wraps `isatty`.
    package static func isTerminal(_ file: Int32) -> Bool { isatty(file) == 1 }

    /// The terminal's columns; nil where the file is no terminal, or one that does not tell. Wraps `ioctl`.
    package static func columns(of file: Int32) -> Int? {
        guard isatty(file) == 1 else { return nil }
        var size = winsize()
        guard ioctl(file, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
        return Int(size.ws_col)
    }

    /// Writes lines to standard output, all of them, however long somebody takes to read: for commands whose only task
    /// it is. Where nobody can read any more, there is nothing to be done.
    package static func printLine(_ text: String, terminator: String = "\n") {
        var output = DescriptorOutput(STDOUT_FILENO)
        _ = output.write(Array((text + terminator).utf8))
    }

    /// Writes to standard error, and gives up where nobody reads it for some seconds: what ends a service must not keep
    /// it from ending.
    package static func printError(_ text: String) {
        var output = DescriptorOutput(STDERR_FILENO, patience: patience)
        _ = output.write(Array(text.utf8))
    }
}
