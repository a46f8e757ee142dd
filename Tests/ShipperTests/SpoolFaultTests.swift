import Glibc
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing
import Wire

/// A spool on a disk whose calls fail one by one, each of them once. A second process runs the test, because the disk
/// fails in a process that was started with it.
@Suite struct SpoolFaultTests {
    private static let variable = "SPOOL_FAULTS"

    @Test(arguments: [EIO, ENOSPC])
    func `whichever call to the disk fails, the content is as before or as after`(_ error: Int32) throws {
        let fixture = SpoolFixture()
        let disk = try FaultyDisk(root: fixture.directory, in: fixture.folder)
        var environment = ProcessEnvironment.current
        for (name, value) in disk.environment { environment[name] = value }
        environment[Self.variable] = "\(error) \(fixture.path)"
        let program = try #require(realpath("/proc/self/exe", nil).map { String(cString: $0) })
        let run = ChildProcess.run(
            program, ["--testing-library", "swift-testing", "--filter", "SpoolFaultTests.*every"],
            environment: environment)
        #expect(run.status == 0, "\(run.output)")
        let steps = run.output.split(separator: "\n").first { $0.hasPrefix("calls: ") }
        let calls = steps.flatMap { Int($0.dropFirst("calls: ".count)) }
        #expect(try #require(calls) > 60, "\(run.output)")
    }

    /// The other process of the test above.
    @Test(.enabled(if: ProcessEnvironment.current[variable] != nil))
    func `every call fails once`() throws {
        let words = try #require(ProcessEnvironment.current[Self.variable]).split(separator: " ", maxSplits: 1)
        let error = try #require(Int32(words[0]))
        let path = String(words[1])
        var call = 0
        var isArmed = false
        while !isArmed {
            call += 1
            SpoolFile.discard(path)
            #expect(FaultyDisk.arm(call: call, error: error))
            try life(path, call)
            isArmed = FaultyDisk.isArmed
            #expect(FaultyDisk.arm(call: 0, error: 0))
        }
        print("calls: \(call)")
    }

    /// A spool that is made, used, shrunk and opened again. Whatever fails is tried again once.
    private func life(_ path: String, _ call: Int) throws {
        var random = SeededGenerator(seed: 6)
        var model = SpoolModel()
        var file = try opened(path)
        func check(_ step: String) throws {
            let found = try SpoolModel(file)
            #expect(found == model && file.contents.damagedRows == 0, "call \(call), \(step)")
        }
        for number in 0..<8 as Range<Int64> {
            let commit = model.nextCommit(number, using: &random)
            do {
                try file.commit(commit)
            } catch {
                // Nothing of the commit is there, whether the file goes on or is opened again.
                if !file.isOpen {
                    file = try opened(path)
                    try check("commit \(number)")
                }
                try file.commit(commit)
            }
            model.apply(commit)
            if number == 6 {
                do {
                    try file.shrink()
                } catch {
                    if !file.isOpen {
                        file = try opened(path)
                        try check("shrink")
                    }
                    try file.shrink()
                }
            }
        }
        file.close()
        file = try opened(path)
        try check("end")
        file.remove()
        #expect(try opened(path).contents == SpoolContents(), "call \(call)")
    }

    private func opened(_ path: String) throws -> SpoolFile {
        do {
            return try SpoolFile(path: path, now: SpoolFixture.noon)
        } catch {
            return try SpoolFile(path: path, now: SpoolFixture.noon)
        }
    }
}
