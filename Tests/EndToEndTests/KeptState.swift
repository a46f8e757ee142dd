import Foundation
import Platform
import TestSupport
import Testing
import Wire

/// A state folder that a version of the program left when it was killed under load, and what must come of it.
///
/// `Data/versions/README.md` says how they are made. Whatever folder lies there is a test: nothing else names them.
struct KeptState: CustomTestStringConvertible, Sendable {
    /// The version and the name, such as `0.1.0/tail-only`.
    let testDescription: String

    private static let root = Repository.root + "/Tests/EndToEndTests/Data/versions"

    /// All of them.
    static let all: [KeptState] = {
        let files = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
        let suffix = ".tar.gz"
        return files.filter { $0.hasSuffix(suffix) }.sorted().map {
            KeptState(testDescription: String($0.dropLast(suffix.count)))
        }
    }()

    /// Puts the state into `folder`, under the name `state`.
    func unpack(into folder: TemporaryFolder) throws -> Truth {
        let archive = "\(Self.root)/\(testDescription).tar.gz"
        let done = ChildProcess.run("/bin/tar", ["-xzf", archive, "-C", folder.file("")])
        try #require(done.status == 0, "\(done.output)")
        let bytes = try FileStore.read(folder.file("truth.json"), limit: 16 << 20)
        return try JSONDecoder().decode(Truth.self, from: Data(bytes))
    }

    /// Variables for a program that believes it is a minute after the kill, and has the settings of the one that was killed.
    static func environment(_ truth: Truth, in folder: TemporaryFolder) throws -> [String: String] {
        let back = Int(SystemTime().now().seconds) - truth.killed_at - 60
        return try clock(behind_s: back, in: folder).merging(["LOG_LEVEL": "info"]) { $1 }.merging(truth.labels) { $1 }
    }

    /// The time that a program with these variables believes it is.
    static func now(_ environment: [String: String]) -> Timestamp {
        SystemTime().now() - .seconds(environment["CLOCK_BACK"].flatMap { Int($0) } ?? 0)
    }

    /// Variables for a program whose clock is behind.
    static func clock(behind_s: Int, in folder: TemporaryFolder) throws -> [String: String] {
        let library = folder.file("libclock.so")
        let path = ProcessEnvironment.current["PATH"] ?? ""
        let compiled = ChildProcess.run(
            "/usr/bin/env",
            ["clang", "-shared", "-fPIC", "-O1", "-o", library, Repository.root + "/Tests/Faults/clock.c"],
            environment: ["PATH": path])
        try #require(compiled.status == 0, "\(compiled.output)")
        return ["LD_PRELOAD": library, "CLOCK_BACK": "\(behind_s)"]
    }
}
