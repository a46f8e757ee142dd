import Glibc
import Platform

extension PostgresServer {
    /// Starts a copy of another server. It receives what that one commits, and can be read.
    ///
    /// - Parameter name: the name under which the other server knows it, for `synchronous_standby_names`.
    package convenience init(
        following primary: PostgresServer, as name: String, settings: [String: String] = [:], isSynced: Bool = false
    ) throws {
        let place = try Place()
        // It makes `standby.signal`: without that file the copy would be a server of its own.
        try Self.command(
            place.bin + "/pg_basebackup",
            [
                "-h", primary.folder, "-p", "\(primary.port)", "-U", "postgres", "-D", place.folder + "/data", "-R",
                "-X", "stream", "-c", "fast", "--no-sync",
            ])
        let source = ["primary_conninfo": Self.source(primary.port, name)]
        try self.init(place, settings: source.merging(settings) { $1 }, isSynced: isSynced)
    }

    private static func source(_ port: UInt16, _ name: String) -> String {
        "host=127.0.0.1 port=\(port) user=postgres application_name=\(name)"
    }

    /// True while it follows another server and takes no commits.
    package func isStandby() throws -> Bool { try query("SELECT pg_is_in_recovery()") == "t" }

    /// Ends the reception, and waits for that. What was received stays.
    package func stopFollowing() throws {
        try set("primary_conninfo", "")
        let isOver = try eventually { try query("SELECT count(*) FROM pg_stat_wal_receiver") == "0" }
        if !isOver { throw PostgresError(description: "it still receives: \(log.suffix(1_000))") }
    }

    /// Receives again from a server that it followed before. It is asked for all that is missing.
    package func follow(_ primary: PostgresServer, as name: String) throws {
        try set("primary_conninfo", Self.source(primary.port, name))
    }

    /// Makes a standby a server that takes commits, and waits for that.
    package func promote() throws { try control("promote") }

    /// Changes a setting for good. It must be one that takes no restart.
    package func set(_ name: String, _ value: String) throws {
        try query("ALTER SYSTEM SET \(name) = '\(value)'")
        try query("SELECT pg_reload_conf()")
    }

    /// Kills all processes of the server with SIGKILL, and waits until they are gone. None of them says a word to a
    /// client or to a standby.
    package func kill() throws {
        guard let text = try? FileStore.read(folder + "/data/postmaster.pid", limit: 4_096),
            let pid = Int32(String(decoding: text.prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
        else { throw PostgresError(description: "it does not run") }
        // The first process must not notice that the others die: it would tell the rest to end, and start them again.
        _ = Glibc.kill(pid, SIGSTOP)
        let children = Self.children(of: pid)
        for child in children { _ = Glibc.kill(child, SIGKILL) }
        _ = Glibc.kill(pid, SIGKILL)
        let areGone = eventually { (children + [pid]).allSatisfy { !Self.isAlive($0) } }
        if !areGone { throw PostgresError(description: "it does not die") }
        // If nobody waits for orphans, their numbers stay in use, and the next start would take the server for alive.
        for lock in ["/data/postmaster.pid", "/.s.PGSQL.\(port).lock"] { unlink(folder + lock) }
    }

    private static func children(of pid: Int32) -> [Int32] {
        let text = (try? FileStore.read("/proc/\(pid)/task/\(pid)/children", limit: 1 << 20)) ?? []
        return String(decoding: text, as: UTF8.self).split(separator: " ").compactMap { Int32($0) }
    }

    /// False for a process that has ended and that nobody has waited for.
    private static func isAlive(_ pid: Int32) -> Bool {
        guard let text = try? FileStore.read("/proc/\(pid)/stat", limit: 4_096) else { return false }
        // The state follows the name, which is in brackets. https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
        let state = String(decoding: text, as: UTF8.self).split(separator: ")").last?.first { $0 != " " }
        return state != "Z" && state != "X"
    }
}
