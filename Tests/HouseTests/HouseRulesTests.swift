import Foundation
import Testing

/// The one target that may import each C library.
private let owners = [
    "CMicroHTTPD": "HTTPServing", "CCurl": "HTTPClient", "CSQLite": "SQLite", "CSnappy": "RemoteWrite",
    "CCrypto": "LiveKit", "CPCRE2": "Matching", "CPostgres": "Postgres", "CBenchmark": "lkpush-bench",
]

/// The targets in which a promise to the compiler may stand, always beside a comment that proves it.
private let mayPromise: Set<String> = [
    "Platform", "SQLite", "Matching", "HTTPServing", "HTTPClient", "StorageSQLite", "Postgres", "LiveKit",
    "RemoteWrite",
]

@Suite struct HouseRulesTests {
    private let tree = SourceTree()

    private func imports(_ file: SourceTree.File) -> [String] {
        file.lines.compactMap { line in
            let words = line.split(separator: " ")
            guard let index = words.firstIndex(of: "import"), index <= 1, !line.hasPrefix(" ") else { return nil }
            return words.indices.contains(index + 1) ? String(words[index + 1]) : nil
        }
    }

    @Test func `the top level holds only what it may`() throws {
        let allowed: Set = ["Package.swift", "README.md", "Sources", "Tests", "proto", "deploy"]
        let found = try FileManager.default.contentsOfDirectory(atPath: tree.root.path).filter { !$0.hasPrefix(".") }
        #expect(Set(found).subtracting(allowed).isEmpty)
    }

    @Test func `a target imports only from layers below its own`() throws {
        let files = try tree.swiftFiles(in: "Sources")
        #expect(files.count > 50)
        let layers = try tree.layers()
        #expect(layers.count > 15)
        for file in files {
            let own = try #require(layers[file.target], "\(file.path) belongs to no layer")
            for name in imports(file) {
                if let other = layers[name] {
                    #expect(other < own, "\(file.path) imports \(name), which is not below it")
                }
                if let owner = owners[name] {
                    #expect(owner == file.target, "\(file.path) imports \(name), which is \(owner)'s alone")
                }
            }
        }
    }

    @Test func `the layers name every target, and no other`() throws {
        let targets = Set(try tree.swiftFiles(in: "Sources").map(\.target))
        #expect(Set(try tree.layers().keys) == targets)
    }

    @Test func `a source file has at most 500 lines`() throws {
        for file in try tree.swiftFiles(in: "Sources") {
            #expect(file.lines.count <= 501, "\(file.path) has \(file.lines.count) lines")
        }
    }

    @Test func `nothing that is banned is used`() throws {
        let banned = [
            "try!", "as! ", "fatalError(", "Task {", "Task.detached", "AsyncStream", "usleep(", "Thread.sleep",
            "String(format:", " print(",
        ]
        // These targets print the program's own output on the terminal.
        let mayPrint: Set = ["Exporter", "Simulation", "lkpush", "lkpush-bench"]
        for file in try tree.swiftFiles(in: "Sources") {
            for name in imports(file) { #expect(name != "Foundation", "\(file.path) imports Foundation") }
            for (number, line) in file.lines.enumerated() where !line.trimmed.hasPrefix("//") {
                for word in banned where line.contains(word) && !(word == " print(" && mayPrint.contains(file.target)) {
                    Issue.record("\(file.path):\(number + 1) uses \(word)")
                }
            }
        }
    }

    @Test func `nothing is left unfinished`() throws {
        // The words are spelled in two parts, so that these lines are no findings.
        let words = ["TO" + "DO", "FIX" + "ME", "not implem" + "ented"]
        for file in try tree.swiftFiles(in: "Sources") + tree.swiftFiles(in: "Tests") {
            for word in words {
                #expect(!file.lines.contains { $0.contains(word) }, "\(file.path) says \(word)")
            }
        }
    }

    @Test func `promises to the compiler stand where they may, beside their proof`() throws {
        for file in try tree.swiftFiles(in: "Sources") {
            for (number, line) in file.lines.enumerated() where !line.trimmed.hasPrefix("//") {
                guard line.contains("@unchecked Sendable") || line.contains("nonisolated(unsafe)") else { continue }
                #expect(mayPromise.contains(file.target), "\(file.path):\(number + 1)")
                let before = file.lines[max(0, number - 12)..<number]
                #expect(
                    before.contains { $0.trimmed.hasPrefix("//") }, "\(file.path):\(number + 1) has no proof above it")
            }
        }
    }

    @Test func `every type and function that others may use is documented`() throws {
        let words = ["func ", "struct ", "class ", "enum ", "protocol ", "typealias "]
        for file in try tree.swiftFiles(in: "Sources") {
            for (number, line) in file.lines.enumerated() where line.trimmed.hasPrefix("package ") {
                let declaration = line.trimmed
                guard words.contains(where: { declaration.contains($0) }), !declaration.hasPrefix("package import"),
                    // The names of operators and of witnesses of the standard library are enough.
                    !declaration.contains("static func "), !declaration.contains("func encode("),
                    !declaration.contains("func hash("), !declaration.contains("enum Limits"),
                    // Witnesses of `StatusValue` and `StatusObject` are documented there.
                    file.target != "Status" || !isStatusWitness(declaration),
                    // Witnesses of a port are documented in its protocol.
                    !file.target.hasPrefix("Storage") || file.target == "Storage",
                    file.path != "Sources/JournalSQLite/SQLiteJournal.swift"
                else { continue }
                var above = number - 1
                while above >= 0, file.lines[above].trimmed.hasPrefix("@") { above -= 1 }
                let isDocumented = above >= 0 && file.lines[above].trimmed.hasPrefix("///")
                #expect(isDocumented || isShort(declaration), "\(file.path):\(number + 1) \(declaration)")
            }
        }
    }

    private func isStatusWitness(_ declaration: String) -> Bool {
        declaration.contains("func visit<") || declaration.contains("func append(to json: inout [UInt8]) {")
    }

    /// Members that a reader understands from their name and type.
    private func isShort(_ declaration: String) -> Bool {
        declaration.contains("func now()") || declaration.contains("func monotonic()")
            || declaration.hasSuffix("}") && declaration.count < 120
    }

    @Test func `no test looks at the clock, or picks a port that somebody else may take`() throws {
        let banned = [
            // TestSupport has the one limit of waits.
            #/\.timeLimit\(/#, #/eventually\(\./#, #/monotonic\(\) \+ \.(?:seconds|minutes)\(/#,
            // Tests check what a time limit is for, or ask `Promptness`.
            #/(?:took|slowest|duration|monotonic\(\)\.since\([^)]*\)) <=? \.(?:seconds|milliseconds)\(/#,
            #/listening\(\)\.port/#,
        ]
        let files = try tree.swiftFiles(in: "Tests").filter { !$0.path.hasPrefix("Tests/TestSupport/") }
        #expect(files.count > 100)
        for file in files {
            for (number, line) in file.lines.enumerated() where !line.trimmed.hasPrefix("//") {
                let isBanned =
                    banned.contains { line.contains($0) } && file.path != "Tests/HouseTests/HouseRulesTests.swift"
                #expect(!isBanned, "\(file.path):\(number + 1): \(line.trimmed)")
            }
        }
    }

    @Test func `a test file expects something`() throws {
        for file in try tree.swiftFiles(in: "Tests") where file.lines.contains(where: { $0.contains("@Test") }) {
            let expects = file.lines.contains { line in
                ["#expect", "#require", "Issue.record"].contains { line.contains($0) }
            }
            #expect(expects, "\(file.path)")
        }
    }
}

extension Substring {
    var trimmed: String { trimmingCharacters(in: .whitespaces) }
}
