import Glibc
import Platform
import Wire

/// A disk that fails on demand below one folder, for a program that is started with `environment`. The program dies in
/// a call that changes a file, or its calls fail for a while. See `Tests/Faults/disk.c`.
package final class FaultyDisk: Sendable {
    /// The progress of the call in which the program died.
    package enum Death: String, Sendable, CaseIterable {
        case before, after
        /// Half of a write was done.
        case torn
    }

    /// The trouble of all calls while it lasts.
    package enum Trouble: Sendable, CustomStringConvertible {
        case full, readOnly, broken
        case slow(Duration)
        /// Nobody is told how much room there is: who asks waits.
        case silent

        package var description: String {
            switch self {
            case .full: "ENOSPC"
            case .readOnly: "EROFS"
            case .broken: "EIO"
            case .silent: "silent"
            case .slow(let duration): "slow \(duration.milliseconds)"
            }
        }
    }

    /// The compiler is missing, or reported an error.
    package struct DiskError: Error, CustomStringConvertible {
        package let description: String
    }

    private let root: String
    private let library: String
    private let control: String
    private let folder: TemporaryFolder

    /// - Parameter root: the folder below which the disk fails.
    package init(root: String, in folder: TemporaryFolder) throws {
        self.root = root
        self.folder = folder
        library = folder.file("libdisk.so")
        control = folder.file("disk-trouble")
        let path = ProcessEnvironment.current["PATH"] ?? ""
        let compiled = ChildProcess.run(
            "/usr/bin/env",
            ["clang", "-shared", "-fPIC", "-O1", "-o", library, Repository.root + "/Tests/Faults/disk.c"],
            environment: ["PATH": path])
        guard compiled.status == 0 else { throw DiskError(description: "clang: \(compiled.output)") }
    }

    /// Variables for a program whose disk can get into trouble.
    package var environment: [String: String] {
        ["LD_PRELOAD": library, "FAULT_ROOT": root, "FAULT_SWITCH": control]
    }

    /// Lets one call of the calling program that changes a file fail, counted from 1 from now on. The program must have
    /// been started with `environment`. Returns false if it was not.
    package static func arm(call: Int, error: Int32) -> Bool {
        guard let arm = symbol("fault_arm") else { return false }
        unsafeBitCast(arm, to: (@convention(c) (Int, Int32) -> Void).self)(call, error)
        return true
    }

    /// True while the call that was armed is still to come.
    package static var isArmed: Bool {
        guard let isArmed = symbol("fault_is_armed") else { return false }
        return unsafeBitCast(isArmed, to: (@convention(c) () -> Int32).self)() != 0
    }

    private static func symbol(_ name: String) -> UnsafeMutableRawPointer? { dlsym(nil, name) }

    /// Variables for a program that dies at its call number `call` that changes a file, counted from 1.
    package func environment(dyingAt call: Int, _ death: Death) -> [String: String] {
        ["LD_PRELOAD": library, "FAULT_ROOT": root, "FAULT_AT": "\(call)", "FAULT_HOW": death.rawValue]
    }

    /// From now on every call fails in this way. Nil ends the trouble.
    package func begin(_ trouble: Trouble?) throws {
        try FileStore.replace(control, with: Array((trouble?.description ?? "").utf8))
    }
}
