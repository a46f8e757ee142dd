import Foundation
import Glibc
import Platform
import TestSupport

/// The root file system of the image, made by `deploy/image-tree`, and programs that run in it as in a container: in a
/// mount namespace, on a read-only file system but for the state folder, as the user of the image.
final class ImageTree {
    /// The tree was not made.
    struct TreeError: Error, CustomStringConvertible {
        let description: String
    }

    /// The user and the group of the image.
    static let user: UInt32 = 65_532
    let path: String
    /// The files of the tree itself, without what a container runtime adds.
    let files: [String]
    /// The folder that is mounted on the state folder.
    private let state: String
    private let folder: TemporaryFolder

    init(in folder: TemporaryFolder) throws {
        self.folder = folder
        path = folder.file("tree")
        state = folder.file("volume")
        let made = Deployed.run("image-tree", ["--quiet", path, Deployed.program])
        guard made.status == 0, made.output.isEmpty else { throw TreeError(description: made.output) }
        files = try Deployed.files(below: path)
        // What a container runtime brings along: places to mount on, and /etc/hosts.
        for name in ["dev", "proc"] { mkdir("\(path)/\(name)", 0o755) }
        try FileStore.replace(path + "/etc/hosts", with: Array("127.0.0.1 localhost\n".utf8), mode: 0o644)
        // A new volume has the owner and the mode of the folder in the image.
        mkdir(state, 0o700)
        chown(state, Self.user, Self.user)
    }

    /// The command that runs a command in the tree. It becomes this command, so it has the same process id.
    func wrapping(_ command: [String]) -> (executable: String, arguments: [String]) {
        (
            "/usr/bin/unshare",
            ["--mount", "--propagation", "private", "/bin/sh", "-euc", Self.script, "sh", path, state] + command
        )
    }

    private static let script = """
        tree=$1 state=$2
        shift 2
        mount --bind "$tree" "$tree"
        mount -t tmpfs -o mode=755 tmpfs "$tree/dev"
        for name in null zero random urandom; do
            touch "$tree/dev/$name"
            mount --bind "/dev/$name" "$tree/dev/$name"
        done
        mount -t proc proc "$tree/proc"
        mount --bind "$state" "$tree/var/lib/lkpush"
        mount -o remount,bind,ro "$tree"
        exec /usr/sbin/chroot --userspec=\(user):\(user) "$tree" "$@"
        """

    /// Runs `lkpush` with arguments in the tree, to its end.
    func run(_ arguments: [String], _ environment: [String: String]) -> (status: Int32, output: String) {
        let command = wrapping(["/usr/local/bin/lkpush"] + arguments)
        return ChildProcess.run(command.executable, command.arguments, environment: environment)
    }

    /// Starts `lkpush serve` in the tree.
    func start(_ environment: [String: String], log: String) throws(SystemError) -> ChildProcess {
        let command = wrapping(["/usr/local/bin/lkpush", "serve"])
        return try ChildProcess(command.executable, command.arguments, environment: environment, output: log)
    }

    /// The names of the shared libraries that a running program has loaded.
    static func libraries(of process: Int32) throws -> Set<String> {
        let maps = String(decoding: try FileStore.read("/proc/\(process)/maps"), as: UTF8.self)
        return Set(maps.matches(of: #/\/([^\/\n]+\.so[.0-9]*)\n/#).map { String($0.output.1) })
    }
}
