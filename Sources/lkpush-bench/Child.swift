import Glibc

/// A child process that this program starts and ends.
final class Child {
    let id: pid_t

    /// Returns nil if the program cannot be started. Wraps `posix_spawn`.
    ///
    /// - Parameter output: the file for its output and errors, instead of ours.
    init?(_ words: [String], environment: [String: String] = [:], output: String? = nil) {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let output {
            posix_spawn_file_actions_addopen(&actions, 1, output, O_WRONLY | O_CREAT | O_APPEND, 0o600)
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The child must not inherit our blocked signals.
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var id = pid_t()
        let arguments = words.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in arguments + variables { free(text) } }
        guard posix_spawn(&id, words[0], &actions, &attributes, arguments, variables) == 0 else { return nil }
        self.id = id
    }

    /// Asks the process to end, and waits for it.
    func end() {
        kill(id, SIGTERM)
        wait()
    }

    func wait() {
        var status: Int32 = 0
        while waitpid(id, &status, 0) < 0 && errno == EINTR {}
    }
}

/// A temporary folder, which is removed with this object.
final class ScratchFolder {
    let path: String

    init() {
        var name = Array("/tmp/lkpush-bench-XXXXXX".utf8CString)
        precondition(mkdtemp(&name) != nil, "the folder for temporary files can be written")
        path = String(decoding: name.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    deinit { Child(["/bin/rm", "-rf", path])?.wait() }
}
