import Glibc

/// A host name of a test's own, seen by one thread and by the programs that it starts, as several machines have
/// different ones. The rest of the machine does not notice. It takes root.
package enum HostName {
    /// Runs `body` on a thread of its own that has the name, and waits for it.
    package static func run(_ name: String, _ body: @escaping @Sendable () throws -> Void) throws {
        try Namespace.names.run {
            guard sethostname(name, name.utf8.count) == 0 else { throw Namespace.Refusal("set the host name") }
            try body()
        }
    }

    /// True if this machine permits it. A container without CAP_SYS_ADMIN does not.
    package static let isAllowed: Bool = (try? run("lkpush-test") {}) != nil
}
