import Glibc
package import Platform

/// Host names of a test's own: files in place of `/etc/hosts` and `/etc/resolv.conf`, seen by one thread and by what it
/// starts, threads and programs alike. The rest of the machine does not notice.
///
/// Mounting them needs root. `isAllowed` is true if this machine permits it.
package final class PrivateNames: Sendable {
    private let folder = TemporaryFolder()
    private let nameServer: SilentNameServer
    private let folders: [(source: String, target: String)]
    private var hostsFile: String { folder.file("hosts") }

    /// - Parameters:
    ///   - hosts: the addresses of names. Every other name is asked of a name server that never answers.
    ///   - folders: folders that are seen in place of others.
    package init(
        hosts: [(name: String, address: String)] = [], folders: [(source: String, target: String)] = []
    ) throws {
        self.folders = folders
        nameServer = try SilentNameServer()
        // One try of this length: a search that is under way stays so for the whole test.
        let resolver = "nameserver \(nameServer.address)\noptions timeout:30 attempts:5\n"
        try FileStore.replace(folder.file("resolv.conf"), with: Array(resolver.utf8))
        try FileStore.replace(folder.file("nsswitch.conf"), with: Array("hosts: files dns\n".utf8))
        try FileStore.replace(hostsFile, with: [])
        try change(hosts: hosts)
    }

    /// Replaces all names. The file stays the same one, because that one is mounted.
    package func change(hosts: [(name: String, address: String)]) throws(SystemError) {
        let text = ([("localhost", "127.0.0.1")] + hosts).map { "\($0.1) \($0.0)\n" }.joined()
        let file = open(hostsFile, O_WRONLY | O_TRUNC | O_CLOEXEC)
        guard file >= 0 else { throw SystemError("open", hostsFile) }
        defer { close(file) }
        try FileStore.writeAll(Array(text.utf8), to: file, named: hostsFile)
    }

    /// Runs `body` on a thread that sees the names, and waits for it.
    package func run(_ body: @escaping @Sendable () throws -> Void) throws {
        try Namespace.mounts.run { [self] in
            guard mount("none", "/", nil, UInt(MS_REC) | UInt(MS_PRIVATE), nil) == 0 else {
                throw Namespace.Refusal("keep mounts private")
            }
            let files = ["hosts", "resolv.conf", "nsswitch.conf"].map { (folder.file($0), "/etc/" + $0) }
            for (source, target) in files + folders {
                guard mount(source, target, nil, UInt(MS_BIND), nil) == 0 else {
                    throw Namespace.Refusal("mount over \(target)")
                }
            }
            try body()
        }
    }

    /// True if a test may have names of its own. A container without CAP_SYS_ADMIN may not.
    package static let isAllowed: Bool = (try? PrivateNames().run {}) != nil
}

/// A name server on loopback that takes every question and never answers.
private final class SilentNameServer: Sendable {
    let address: String
    private let file: Int32

    init() throws(SystemError) {
        file = socket(AF_INET, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        // The port of name servers cannot be chosen in `/etc/resolv.conf`, so each has an address of its own.
        let host = 0x7F35_0000 | UInt32.random(in: 0x1...0xFFFE)
        address = "127.53.\(host >> 8 & 0xFF).\(host & 0xFF)"
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = UInt16(53).bigEndian
        name.sin_addr.s_addr = host.bigEndian
        let bound = withUnsafePointer(to: &name) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(file, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard bound == 0 else { throw SystemError("bind", address) }
    }

    deinit { close(file) }
}
