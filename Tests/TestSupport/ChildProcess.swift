import Glibc
package import Platform

/// A program that a test starts. It is killed and waited for when the object goes.
///
/// `@unchecked Sendable`: the exit status is guarded by `lock`; everything else is constant.
package final class ChildProcess: @unchecked Sendable {
    package let pid: Int32
    private let lock = Monitor<Int32?>(nil)

    /// Starts `executable` (an absolute path). Its output goes to `output`, or to nowhere.
    package init(
        _ executable: String, _ arguments: [String], environment: [String: String] = ["PATH": "/usr/bin:/bin"],
        output: String = "/dev/null"
    ) throws(SystemError) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // The test runner may have blocked signals. The program must get them.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let words = ([executable] + arguments).map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for word in words + variables { free(word) } }
        var child: pid_t = 0
        let code = posix_spawn(&child, executable, &actions, &attributes, words, variables)
        guard code == 0 else { throw SystemError("spawn", executable, code: code) }
        pid = child
    }

    deinit { _ = end(with: SIGKILL) }

    /// Sends a signal.
    package func signal(_ number: Int32) { kill(pid, number) }

    /// The exit status; nil while the program runs. After a death by a signal it is 128 plus the signal's number.
    package func poll() -> Int32? {
        lock.withLock { status in
            if let status { return status }
            var raw: Int32 = 0
            guard waitpid(pid, &raw, WNOHANG) == pid else { return nil }
            status = Self.decode(raw)
            return status
        }
    }

    /// Waits until the program has ended.
    package func wait() -> Int32 {
        lock.withLock { status in
            if let status { return status }
            var raw: Int32 = 0
            while waitpid(pid, &raw, 0) < 0 && errno == EINTR {}
            let decoded = Self.decode(raw)
            status = decoded
            return decoded
        }
    }

    /// Sends a signal and waits until the program has ended.
    package func end(with number: Int32) -> Int32 {
        if let status = poll() { return status }
        signal(number)
        return wait()
    }

    private static func decode(_ raw: Int32) -> Int32 {
        raw & 0x7F == 0 ? (raw >> 8) & 0xFF : 128 + (raw & 0x7F)
    }

    /// Runs a program to its end, and returns what it wrote to standard output and error.
    package static func run(
        _ executable: String, _ arguments: [String], environment: [String: String] = ["PATH": "/usr/bin:/bin"]
    ) -> (status: Int32, output: String) {
        var template = Array("/tmp/lkpush-output-XXXXXX".utf8CString)
        let file = mkstemp(&template)
        close(file)
        let path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        defer { unlink(path) }
        do throws(SystemError) {
            let child = try ChildProcess(executable, arguments, environment: environment, output: path)
            let status = child.wait()
            let output = try FileStore.read(path, limit: 256 << 20)
            return (status, String(decoding: output, as: UTF8.self))
        } catch {
            return (127, error.description)
        }
    }
}
