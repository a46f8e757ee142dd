import Foundation
import Glibc
import Platform
import TestSupport

/// The files in which lkpush keeps its state, for tests that damage them while nobody uses them.
struct StateFolder {
    let path: String

    init(_ folder: TemporaryFolder) { path = folder.file("state") }

    var journal: String { path + "/journal.db" }
    var log: String { path + "/journal.db-wal" }

    /// The snapshots, the oldest first.
    var snapshots: [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        let numbered = names.compactMap { name -> (number: Int, name: String)? in
            guard name.hasPrefix("snapshot."), let number = Int(name.dropFirst(9)) else { return nil }
            return (number, name)
        }
        return numbered.sorted { $0.number < $1.number }.map { path + "/" + $0.name }
    }

    /// A listing of the folder, for people.
    var listing: String { ChildProcess.run("/bin/ls", ["-la", path]).output }

    /// The disk space of its files, as `du` reports it.
    var size_bytes: Int {
        let words = ChildProcess.run("/usr/bin/du", ["-s", "--block-size=1", path]).output.split(separator: "\t")
        return words.first.flatMap { Int($0) } ?? 0
    }

    static func size(of file: String) -> Int {
        var status = stat()
        return stat(file, &status) == 0 ? Int(status.st_size) : 0
    }

    static func cut(_ file: String, to size: Int) throws(SystemError) {
        guard truncate(file, size) == 0 else { throw SystemError("truncate", file) }
    }

    /// Flips random bits.
    static func flip(
        _ count: Int, in file: String, within range: Range<Int>? = nil, using random: inout SeededGenerator
    ) throws(SystemError) {
        var content = try FileStore.read(file, limit: 256 << 20)
        guard !content.isEmpty else { return }
        for _ in 0..<count {
            content[Int.random(in: range ?? 0..<content.count, using: &random)] ^=
                1 << UInt8.random(in: 0..<8, using: &random)
        }
        try FileStore.replace(file, with: content)
    }

    static func append(_ bytes: [UInt8], to file: String) throws(SystemError) {
        let content = try FileStore.read(file, limit: 256 << 20)
        try FileStore.replace(file, with: content + bytes)
    }
}
