import Glibc
import Platform
import TestSupport

@testable import Top

/// A program that runs in a terminal of its own.
///
/// `@unchecked Sendable`: what the program wrote is behind the monitor; everything else is constant.
final class PseudoTerminal: @unchecked Sendable {
    private struct State {
        var bytes: [UInt8] = []
        var screen: TerminalScreen
        var status: Int32?
        /// The last program that had the terminal open has ended, and all that was written is read.
        var isClosed = false
    }

    private enum Request {
        /// Of `ioctl`; Swift does not import them. https://man7.org/linux/man-pages/man2/ioctl_tty.2.html
        static let unlock: UInt = 0x4004_5431
        static let number: UInt = 0x8004_5430
    }

    let pid: Int32
    private let file: Int32
    private let path: String
    private let state: Monitor<State>
    private let reader: NamedThread

    /// Starts a program (an absolute path) as the leader of a session whose terminal has this size. Wraps
    /// `posix_spawn`.
    init(
        _ words: [String], rows: Int = 24, columns: Int = 80, environment: [String: String] = [:]
    ) throws(SystemError) {
        let file = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC)
        var (zero, number): (Int32, Int32) = (0, 0)
        guard file >= 0, ioctl(file, Request.unlock, &zero) == 0, ioctl(file, Request.number, &number) == 0 else {
            throw SystemError("open", "/dev/ptmx")
        }
        self.file = file
        path = "/dev/pts/\(number)"
        Self.resize(file, rows, columns)

        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // The first terminal that the leader of a session opens is that of the session.
        posix_spawn_file_actions_addopen(&actions, 0, path, O_RDWR, 0)
        posix_spawn_file_actions_adddup2(&actions, 0, 1)
        posix_spawn_file_actions_adddup2(&actions, 0, 2)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        // POSIX_SPAWN_SETSID, which Swift does not import.
        posix_spawnattr_setflags(&attributes, 0x80 | Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        let usual = ["PATH": "/usr/bin:/bin", "TERM": "xterm-256color", "LANG": "C.UTF-8", "no_proxy": "127.0.0.1"]
        let variables = usual.merging(environment) { $1 }.map { strdup("\($0.key)=\($0.value)") } + [nil]
        let arguments = words.map { strdup($0) } + [nil]
        defer { for word in arguments + variables { free(word) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, words[0], &actions, &attributes, arguments, variables)
        guard code == 0 else { throw SystemError("spawn", words[0], code: code) }
        pid = child

        let state = Monitor(State(screen: TerminalScreen(rows: rows, columns: columns)))
        self.state = state
        reader = NamedThread(name: "terminal") {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = read(file, &buffer, buffer.count)
                if count < 0 && errno == EINTR { continue }
                if count <= 0 { break }
                state.change { state in
                    state.bytes += buffer[..<count]
                    state.screen.write(buffer[..<count])
                }
            }
            state.change { $0.isClosed = true }
        }
    }

    deinit {
        kill(pid, SIGKILL)
        _ = wait()
        reader.join()
        close(file)
    }

    /// Types bytes.
    func type(_ text: String) {
        let bytes = Array(text.utf8)
        _ = write(file, bytes, bytes.count)
    }

    /// Gives the window another size. What is on the screen is forgotten.
    func resize(rows: Int, columns: Int) {
        state.change { $0.screen = TerminalScreen(rows: rows, columns: columns) }
        Self.resize(file, rows, columns)
    }

    private static func resize(_ file: Int32, _ rows: Int, _ columns: Int) {
        var size = winsize(ws_row: UInt16(rows), ws_col: UInt16(columns), ws_xpixel: 0, ws_ypixel: 0)
        _ = ioctl(file, UInt(TIOCSWINSZ), &size)
    }

    /// Sends a signal to the group of the program.
    func signal(_ number: Int32) { kill(-pid, number) }

    var screen: TerminalScreen { state.withLock { $0.screen } }
    var bytes: [UInt8] { state.withLock { $0.bytes } }
    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Waits until the screen is as it should be.
    func shows(_ condition: (TerminalScreen) -> Bool) -> Bool {
        eventually {
            let screen = screen
            // In the middle of a frame it is half the old one.
            return !screen.modes.contains(2_026) && condition(screen)
        }
    }

    func shows(_ text: String) -> Bool { shows { $0.lines.contains { $0.contains(text) } } }

    /// The settings of the keyboard: it echoes, and gives whole lines.
    var isCooked: Bool {
        var settings = termios()
        // The side of the program has them too.
        guard tcgetattr(file, &settings) == 0 else { return false }
        let flags = tcflag_t(ECHO | ICANON)
        return settings.c_lflag & flags == flags && settings.c_iflag & tcflag_t(IXON) != 0
    }

    /// Waits until the program has ended. Returns its status; after a death by a signal 1,000 and the signal's number.
    func wait() -> Int32 {
        state.withLock { state in
            if let status = state.status { return status }
            var raw: Int32 = 0
            while waitpid(pid, &raw, 0) < 0 && errno == EINTR {}
            let status = raw & 0x7F == 0 ? (raw >> 8) & 0xFF : 1_000 + (raw & 0x7F)
            state.status = status
            return status
        }
    }

    /// Waits until the program has ended and all that it wrote has been read.
    func end() -> Int32 {
        let pid = pid
        // The reader needs the lock, so the wait is outside of it until the program is a zombie.
        _ = eventually { () -> Bool in
            var info = siginfo_t()
            return waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT | WNOHANG) == 0 && info.si_signo == SIGCHLD
        }
        let status = wait()
        _ = eventually { state.withLock { $0.isClosed } }
        return status
    }
}
