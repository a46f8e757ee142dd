import Glibc
import Journal
import JournalSQLite
import Platform
import SQLite
import TestSupport
import Testing

@Suite struct SQLiteSpillTests {
    let folder = TemporaryFolder()
    var directory: String { folder.file("state") }

    func group(_ number: Int64, producer: String = "p", count: Int = 2, size: Int = 100) -> ProducedGroup {
        ProducedGroup(
            producer: producer, number: number, count: count,
            bytes: [UInt8](repeating: UInt8(truncatingIfNeeded: number), count: size))
    }

    /// Opens the spill. A child that another test is starting has the lock of this process for a moment.
    func open() throws -> SQLiteSpill {
        var spill: SQLiteSpill?
        let isOpen = try eventually {
            do throws(JournalError) {
                spill = try SQLiteSpill(directory: directory)
            } catch {
                guard "\(error)".contains("held by process \(getpid())") else { throw error }
            }
            return spill != nil
        }
        try #require(isOpen)
        return try #require(spill)
    }

    /// Changes the file while nobody has it open.
    func change(_ sql: String) throws {
        let connection = try Connection(path: "\(directory)/\(SQLiteSpill.name)", ConnectionSettings())
        try connection.execute(sql)
        connection.close()
    }

    /// Takes everything that waits, some at a time.
    func drain(_ spill: SQLiteSpill, limit_bytes: Int) throws -> [ProducedGroup] {
        var all: [ProducedGroup] = []
        while spill.events > 0 {
            let found = try spill.oldest(limit_bytes: limit_bytes)
            #expect(found.last > 0)
            all += found.groups
            try spill.remove(upTo: found.last)
        }
        return all
    }

    @Test func `groups come out as they went in, first in, first out`() throws {
        let spill = try open()
        #expect(spill.events == 0 && spill.size_bytes == 0)
        let empty = try spill.oldest(limit_bytes: 1_000)
        #expect(empty == SpilledGroups())
        try spill.add([group(1), group(2)])
        // Another producer, and a number that is lower: the order is that of adding.
        try spill.add([group(1, producer: "q", count: 5, size: 7)])
        #expect(spill.events == 9 && spill.size_bytes == 207)
        let found = try spill.oldest(limit_bytes: 1_000)
        #expect(found.groups == [group(1), group(2), group(1, producer: "q", count: 5, size: 7)])
        #expect(found.damagedEvents == 0)
        // Groups that were read stay until they are removed.
        #expect(try spill.oldest(limit_bytes: 1_000) == found)
        try spill.add([group(3)])
        try spill.remove(upTo: found.last)
        #expect(spill.events == 2 && spill.size_bytes == 100)
        #expect(try spill.oldest(limit_bytes: 1_000).groups == [group(3)])
    }

    @Test(arguments: [1, 99, 100, 199, 250, 1_000_000])
    func `a look has at least one group, and more only within its bytes`(limit_bytes: Int) throws {
        let spill = try open()
        let groups = (1...200).map { group(Int64($0)) }
        try spill.add(groups)
        let found = try spill.oldest(limit_bytes: limit_bytes)
        #expect(!found.groups.isEmpty)
        #expect(found.groups.count == 1 || found.groups.count * 100 <= limit_bytes)
        if limit_bytes >= 200 { #expect(found.groups.count > 1) }
        #expect(try drain(spill, limit_bytes: limit_bytes) == groups)
    }

    @Test func `a damaged row is counted and passed over`() throws {
        do {
            let spill = try open()
            try spill.add([group(1), group(2, count: 3), group(3)])
            spill.close()
        }
        try change("UPDATE groups SET bytes = CAST(x'00' || substr(bytes, 2) AS BLOB) WHERE number = 2")
        let spill = try open()
        #expect(spill.events == 7)
        let found = try spill.oldest(limit_bytes: 1_000)
        #expect(found.groups == [group(1), group(3)])
        #expect(found.damagedEvents == 3)
        try spill.remove(upTo: found.last)
        #expect(spill.events == 0)
    }

    @Test func `a producer that was changed on the disk is damage, too`() throws {
        do {
            let spill = try open()
            try spill.add([group(1)])
            spill.close()
        }
        try change("UPDATE groups SET producer = 'x'")
        let found = try open().oldest(limit_bytes: 1_000)
        #expect(found.groups.isEmpty && found.damagedEvents == 2 && found.last > 0)
    }

    @Test func `renamed groups have their places as numbers, and no place is given twice`() throws {
        let spill = try open()
        try spill.add([group(7), group(8), group(9)])
        let first = try spill.oldest(limit_bytes: 200)
        #expect(first.groups.count == 2)
        try spill.rename(upTo: first.last, producer: "new")
        let renamed = try spill.oldest(limit_bytes: 1_000)
        #expect(renamed.groups.map(\.producer) == ["new", "new", "p"])
        #expect(renamed.groups.map(\.bytes) == [group(7), group(8), group(9)].map(\.bytes))
        let numbers = renamed.groups.prefix(2).map(\.number)
        #expect(numbers == numbers.sorted() && Set(numbers).count == 2)
        try spill.remove(upTo: renamed.last)
        try spill.add([group(10)])
        let later = try spill.oldest(limit_bytes: 1_000)
        #expect(later.last > renamed.last)
        try spill.rename(upTo: later.last, producer: "new")
        #expect(try spill.oldest(limit_bytes: 1_000).groups.allSatisfy { $0.number > numbers.max() ?? 0 })
    }

    @Test func `a new name makes no damaged row whole`() throws {
        do {
            let spill = try open()
            try spill.add([group(1), group(2)])
            spill.close()
        }
        try change("UPDATE groups SET bytes = CAST(x'00' || substr(bytes, 2) AS BLOB) WHERE number = 1")
        let spill = try open()
        try spill.rename(upTo: try spill.oldest(limit_bytes: 1_000).last, producer: "new")
        let found = try spill.oldest(limit_bytes: 1_000)
        #expect(found.groups.map(\.bytes) == [group(2).bytes])
        #expect(found.groups.map(\.producer) == ["new"])
        #expect(found.damagedEvents == 2)
    }

    @Test func `a killed process leaves everything that was added`() async throws {
        let directory = directory
        await #expect(processExitsWith: .signal(SIGKILL)) { [directory = directory as String] in
            let spill = try SQLiteSpill(directory: directory)
            for number in 1...20 {
                try spill.add([
                    ProducedGroup(producer: "p", number: Int64(number), count: 1, bytes: [UInt8(number)])
                ])
            }
            withExtendedLifetime(spill) { _ = kill(getpid(), SIGKILL) }
        }
        let spill = try open()
        #expect(spill.events == 20 && spill.size_bytes == 20)
        #expect(try drain(spill, limit_bytes: 5).map(\.number) == Array(1...20))
    }

    @Test func `another instance has it no more than once at a time`() throws {
        var first: SQLiteSpill? = try open()
        try first?.add([group(1)])
        #expect(throws: JournalError.self) { try SQLiteSpill(directory: directory) }
        first = nil
        let second = try open()
        #expect(second.events == 2)
    }

    @Test func `a file that was moved away is still open, and a new one takes over what it has`() throws {
        let spill = try open()
        try spill.add([group(1)])
        #expect(rename("\(directory)/\(SQLiteSpill.name)", "\(directory)/elsewhere") == 0)
        try spill.add([group(2)])
        #expect(spill.events == 4)
        let repair = try #require(spill.takeRepairs().first)
        #expect(repair.isComplete && repair.keptEvents == 2 && repair.lostEvents == 0)
        #expect(spill.takeRepairs().isEmpty)
        #expect(try spill.oldest(limit_bytes: 1_000).groups == [group(1), group(2)])
        spill.close()
        #expect(try spill.oldest(limit_bytes: 1_000).groups == [group(1), group(2)])
    }

    @Test func `a file that was replaced by another keeps its groups, before those of the other`() throws {
        do {
            let other = try SQLiteSpill(directory: folder.file("other"))
            try other.add([group(7)])
            other.close()
        }
        let spill = try open()
        try spill.add([group(1)])
        let path = "\(directory)/\(SQLiteSpill.name)"
        #expect(rename(folder.file("other") + "/" + SQLiteSpill.name, path) == 0)
        try spill.add([group(2)])
        let found = try spill.oldest(limit_bytes: 1_000).groups
        #expect(found.map(\.bytes) == [group(1), group(7), group(2)].map(\.bytes))
        #expect(found.first == group(1) && found.last == group(2))
        #expect(spill.takeRepairs().map(\.isComplete) == [true])
    }

    @Test func `a folder that was moved away is made anew, with what waits`() throws {
        let spill = try open()
        try spill.add([group(1)])
        #expect(rename(directory, directory + ".old") == 0)
        try spill.add([group(2)])
        #expect(access("\(directory)/\(SQLiteSpill.name)", F_OK) == 0)
        #expect(try spill.oldest(limit_bytes: 1_000).groups == [group(1), group(2)])
        #expect(spill.takeRepairs().map(\.isComplete) == [true])
        // Nobody else can have the new one.
        #expect(throws: JournalError.self) { try SQLiteSpill(directory: directory) }
    }

    @Test(.enabled(if: SmallDisk.isPermitted))
    func `a full disk takes nothing, keeps what it has, and takes more when there is room`() throws {
        let disk = try #require(SmallDisk(size: "4m"))
        let spill = try SQLiteSpill(directory: disk.path + "/state")
        try spill.add([group(1)])
        disk.fill()
        var kept: [Int64] = [1]
        var error: JournalError?
        for number in 2...40 as ClosedRange<Int64> where error == nil {
            do throws(JournalError) {
                try spill.add([group(number, size: 40_000)])
                kept.append(number)
            } catch let failed {
                error = failed
            }
        }
        #expect(error?.kind == .full)
        disk.free()
        try spill.add([group(99)])
        #expect(try drain(spill, limit_bytes: 1).map(\.number) == kept + [99])
    }
}
