import Glibc
import Platform

/// A machine that seems to have been suspended for a day. For programs that are started here CLOCK_BOOTTIME, which counts
/// that day, is a day ahead of CLOCK_MONOTONIC, which does not.
package enum SuspendedMachine {
    /// Runs `body` on a thread of its own, and waits for it.
    package static func run(_ body: @escaping @Sendable () throws -> Void) throws {
        try Namespace.time.run {
            // The file of this thread, not of the process.
            guard let thread = realpath("/proc/thread-self", nil) else { throw Namespace.Refusal("find the thread") }
            defer { free(thread) }
            let id = String(cString: thread).split(separator: "/").last ?? ""
            let file = open("/proc/\(id)/timens_offsets", O_WRONLY | O_CLOEXEC)
            guard file >= 0 else { throw Namespace.Refusal("open the offsets") }
            defer { close(file) }
            try FileStore.writeAll(Array("boottime 86400 0\n".utf8), to: file, named: "the offsets")
            try body()
        }
    }

    /// True if this machine permits it, and gives programs the other clock.
    package static let isAllowed: Bool = {
        @Sendable func uptime() -> Double {
            let text = ChildProcess.run("/bin/cat", ["/proc/uptime"]).output
            return text.split(separator: " ").first.flatMap { Double($0) } ?? 0
        }
        let seen = Monitor(0.0)
        try? run { seen.change { $0 = uptime() } }
        return seen.withLock { $0 } > uptime() + 80_000
    }()
}
