import Glibc
import Platform

/// A thread in a namespace of its own, and what it starts: threads and programs. The rest of the process and of the
/// machine does not notice. It takes root.
enum Namespace: Int32 {
    /// https://man7.org/linux/man-pages/man7/mount_namespaces.7.html
    case mounts = 0x2_0000
    /// The host name. https://man7.org/linux/man-pages/man7/uts_namespaces.7.html
    case names = 0x400_0000
    /// Only programs are in it. https://man7.org/linux/man-pages/man7/time_namespaces.7.html
    case time = 0x80

    /// The system refused something.
    struct Refusal: Error, CustomStringConvertible {
        let description: String
        init(_ what: String) { description = "\(what): error \(errno)" }
    }

    /// Runs `body` on a thread in a new namespace, and waits for it.
    func run(_ body: @escaping @Sendable () throws -> Void) throws {
        let outcome = Monitor<Result<Void, any Error>?>(nil)
        let thread = NamedThread(name: "namespace") {
            let result = Result {
                try enter()
                try body()
            }
            outcome.change { $0 = result }
        }
        thread.join()
        try outcome.withLock { $0 }?.get()
    }

    private func enter() throws(Refusal) {
        // Swift's Glibc leaves out what only GNU has.
        guard let found = dlsym(nil, "unshare") else { throw Refusal("find unshare") }
        let unshare = unsafeBitCast(found, to: (@convention(c) (Int32) -> Int32).self)
        guard unshare(rawValue) == 0 else { throw Refusal("unshare") }
    }
}
