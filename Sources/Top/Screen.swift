import Glibc
import Platform

/// The terminal while a picture is on it: a screen of its own, without a cursor, and a keyboard that does not echo.
///
/// All of it belongs to the main thread, but `restoreKeyboard`: any thread may call that before the process ends.
final class Screen: Sendable {
    private enum Code {
        /// The other screen, no wrapping at the right edge, no cursor.
        static let enter = "\u{1B}[?1049h\u{1B}[?7l\u{1B}[?25l"
        static let leave = "\u{1B}[0m\u{1B}[?25h\u{1B}[?7h\u{1B}[?1049l"
        /// A terminal that knows these two shows a frame at once. Others ignore them.
        static let begin = "\u{1B}[?2026h\u{1B}[H"
        static let end = "\u{1B}[?2026l"
    }

    /// The settings of the keyboard before. Nil if standard input is no terminal.
    private let keyboard: termios?
    let hasColors: Bool

    init(hasColors: Bool) {
        self.hasColors = hasColors
        var settings = termios()
        keyboard = isatty(STDIN_FILENO) == 1 && tcgetattr(STDIN_FILENO, &settings) == 0 ? settings : nil
    }

    var hasKeyboard: Bool { keyboard != nil }

    /// Takes the screen. Returns false if the terminal is gone. Wraps `tcsetattr`.
    func enter() -> Bool {
        if var settings = keyboard {
            // Keys come at once and are not shown. Ctrl-S does not stop the output: a picture that stands still lies.
            settings.c_lflag &= ~tcflag_t(ICANON | ECHO)
            settings.c_iflag &= ~tcflag_t(IXON)
            tcsetattr(STDIN_FILENO, TCSADRAIN, &settings)
        }
        return Self.write(Array(Code.enter.utf8))
    }

    /// Shows lines, each over the one before, with one write: nothing flickers. Returns false if the terminal is gone.
    func show(_ frame: TopPicture.Frame, columns: Int) -> Bool {
        Self.write(Self.bytes(frame.lines, columns: columns, hasColors: hasColors))
    }

    /// Gives the screen back as it was before.
    func restore() {
        _ = Self.write(Array(Code.leave.utf8))
        restoreKeyboard()
    }

    func restoreKeyboard() {
        if var settings = keyboard { tcsetattr(STDIN_FILENO, TCSANOW, &settings) }
    }

    // MARK: Bytes

    /// The bytes of a frame.
    static func bytes(_ lines: [Line], columns: Int, hasColors: Bool) -> [UInt8] {
        var text = Code.begin
        for (index, line) in lines.enumerated() {
            if index > 0 { text += "\r\n" }
            text += styled(line, hasColors: hasColors)
            // Behind the last column it would erase the character there.
            if line.width < columns { text += "\u{1B}[K" }
        }
        return Array((text + "\u{1B}[J" + Code.end).utf8)
    }

    /// A line with the codes of its styles.
    static func styled(_ line: Line, hasColors: Bool) -> String {
        guard hasColors else { return line.text }
        return line.runs.map { run in
            run.style == .plain ? run.text : "\u{1B}[\(run.style.code)m\(run.text)\u{1B}[0m"
        }.joined()
    }

    /// Writes everything in one piece, unless the terminal takes less. Returns false if it is gone. Wraps `write`.
    private static func write(_ bytes: [UInt8]) -> Bool {
        var offset = 0
        while offset < bytes.count {
            let count = bytes.withUnsafeBufferPointer { buffer in
                Glibc.write(STDOUT_FILENO, buffer.baseAddress.map { $0 + offset }, buffer.count - offset)
            }
            if count > 0 {
                offset += count
            } else if count < 0, errno == EAGAIN {
                var file = pollfd(fd: STDOUT_FILENO, events: Int16(POLLOUT), revents: 0)
                poll(&file, 1, -1)
            } else if count == 0 || errno != EINTR {
                return false
            }
        }
        return true
    }
}
