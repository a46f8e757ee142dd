import Glibc
import Journal
import JournalSQLite
import Platform
import SQLite
import TestSupport
import Testing

extension SQLiteSpillTests {
    private var path: String { "\(directory)/\(SQLiteSpill.name)" }

    /// Changes the bytes of a file that nobody has open.
    private func edit(_ path: String, _ change: (inout [UInt8]) -> Void) throws {
        var bytes = try FileStore.read(path, limit: 64 << 20)
        change(&bytes)
        try FileStore.replace(path, with: bytes)
    }

    private func names(_ part: String) throws -> [String] {
        try Folder.names(directory).filter { $0.contains(part) }
    }

    /// What a spill gave, and what it said to be lost.
    private struct Outcome {
        var groups: [ProducedGroup] = []
        var lostEvents = 0
        var isComplete = true
    }

    /// Takes everything out.
    private func takeOut(_ spill: SQLiteSpill) throws -> Outcome {
        var outcome = Outcome()
        func note() {
            for repair in spill.takeRepairs() {
                outcome.lostEvents += repair.lostEvents
                outcome.isComplete = outcome.isComplete && repair.isComplete
            }
        }
        note()
        while spill.events > 0 {
            let found = try spill.oldest(limit_bytes: 5_000)
            try spill.remove(upTo: found.last)
            outcome.groups += found.groups
            outcome.lostEvents += found.damagedEvents
            note()
        }
        return outcome
    }

    @Test(arguments: [0, 0xFF, 0x5A] as [UInt8])
    func `a damaged page costs the groups on it, and nothing else`(fill: UInt8) throws {
        // Rows on one page, rows that take several, and a tree of more than one level.
        let groups = (1...150).map { group(Int64($0), size: $0 % 10 == 0 ? 9_000 : 700) }
        do {
            let spill = try open()
            try spill.add(groups)
            spill.close()
        }
        let sound = try FileStore.read(path, limit: 64 << 20)
        let total = groups.reduce(0) { $0 + $1.count }
        for page in 0..<sound.count / 4_096 {
            var bytes = sound
            for place in page * 4_096 + 200..<(page + 1) * 4_096 { bytes[place] = fill }
            if page > 0 { for place in page * 4_096..<page * 4_096 + 200 { bytes[place] = fill } }
            try FileStore.replace(path, with: bytes)
            let spill = try open()
            let outcome = try takeOut(spill)
            let kept = outcome.groups.reduce(0) { $0 + $1.count }
            #expect(groups.filter(outcome.groups.contains) == outcome.groups, "page \(page): in order, and whole")
            #expect(kept + outcome.lostEvents <= total, "page \(page)")
            if kept < total {
                #expect(!outcome.isComplete || outcome.lostEvents > 0, "page \(page)")
            }
            // The page of the root hides all; every other one at most what is on it.
            #expect(kept >= total - 20 || page <= 2, "page \(page): \(kept) of \(total)")
            try spill.add([group(1_000)])
            #expect(try spill.oldest(limit_bytes: 1_000).groups == [group(1_000)])
            spill.close()
        }
        #expect(try !names("damaged").isEmpty)
    }

    @Test func `damage that is met while the spill is used is counted to the event`() throws {
        let groups = (1...60).map { group(Int64($0), size: 3_000) }
        let spill = try open()
        try spill.add(groups)
        spill.close()
        // The end of the content of many rows is on pages of its own, which opening the file does not read.
        try edit(path) { bytes in
            for place in bytes.count / 2..<bytes.count / 2 + 8 * 4_096 { bytes[place] = 0xFF }
        }
        let outcome = try takeOut(spill)
        let kept = outcome.groups.reduce(0) { $0 + $1.count }
        #expect(kept > 60 && kept < 120)
        #expect(kept + outcome.lostEvents == 120)
    }

    @Test func `a file that is no database is moved aside, and the spill works`() throws {
        try FileStore.makeDirectory(directory)
        try FileStore.replace(path, with: [UInt8](repeating: 7, count: 20_000))
        let spill = try open()
        let repair = try #require(spill.takeRepairs().first)
        #expect(!repair.isComplete && repair.lostEvents == 1)
        let aside = try #require(repair.movedAside)
        #expect(Folder.size_bytes(aside) == 20_000)
        try spill.add([group(1)])
        #expect(try spill.oldest(limit_bytes: 1_000).groups == [group(1)])
    }

    @Test func `a header of a later program is mended`() throws {
        do {
            let spill = try open()
            try spill.add([group(1), group(2)])
            spill.close()
        }
        // The format for writing, which makes SQLite open the file for reading only.
        try edit(path) { $0[18] = 9 }
        let spill = try open()
        #expect(spill.takeRepairs().map(\.isComplete) == [true])
        #expect(try spill.oldest(limit_bytes: 1_000).groups == [group(1), group(2)])
    }

    @Test func `a crash while a file was made anew is finished by the next start`() throws {
        do {
            let spill = try open()
            try spill.add([group(1)])
            spill.close()
        }
        #expect(rename(path, path + ".salvaged") == 0)
        try FileStore.replace(path + ".salvage", with: [1, 2, 3])
        let spill = try open()
        #expect(try spill.oldest(limit_bytes: 1_000).groups == [group(1)])
        #expect(try names("salvage").isEmpty)
    }

    @Test func `commits that a damaged log hides are told, and the log is kept`() throws {
        let copy = folder.file("copy")
        let spill = try open()
        for number in 1...8 { try spill.add([group(Int64(number))]) }
        try FileStore.makeDirectory(copy)
        for suffix in ["", "-wal"] {
            let bytes = try FileStore.read(path + suffix, limit: 64 << 20)
            try FileStore.replace("\(copy)/\(SQLiteSpill.name)\(suffix)", with: bytes)
        }
        let log = "\(copy)/\(SQLiteSpill.name)-wal"
        try edit(log) { $0[$0.count / 2] ^= 0xFF }
        let damaged = try SQLiteSpill(directory: copy)
        let repair = try #require(damaged.takeRepairs().first)
        #expect(!repair.isComplete && repair.movedAside.map(Folder.exists) == true)
        #expect(damaged.events < 16)
    }

    // MARK: In the middle of something

    /// Adds groups, and reads the oldest of them.
    private func begin(_ spill: SQLiteSpill, _ count: Int64, size: Int = 100) throws -> (SpilledGroups, [ProducedGroup])
    {
        let groups = (1...count).map { group($0, size: size) }
        try spill.add(groups)
        let found = try spill.oldest(limit_bytes: 5 * size)
        #expect(found.groups.count == 5)
        return (found, groups)
    }

    @Test func `a file that goes between reading and removing costs nothing that was not read`() throws {
        let spill = try open()
        let (found, groups) = try begin(spill, 20)
        #expect(unlink(path) == 0)
        try spill.remove(upTo: found.last)
        #expect(try drain(spill, limit_bytes: 1 << 20) == Array(groups.dropFirst(5)))
        #expect(spill.takeRepairs().map(\.lostEvents) == [0])
    }

    @Test func `damage between reading and removing costs nothing that was not read`() throws {
        let spill = try open()
        try spill.add((1...300).map { group($0, size: 3_000) })
        try spill.remove(upTo: 200)
        let found = try spill.oldest(limit_bytes: 20_000)
        spill.close()
        // Deleting meets the pages of earlier rows, which are free.
        try edit(path) { bytes in
            for page in 2..<bytes.count / 4_096 / 2 {
                for place in page * 4_096..<(page + 1) * 4_096 { bytes[place] = 0xFF }
            }
        }
        try spill.remove(upTo: found.last)
        let rest = try takeOut(spill)
        let numbers = rest.groups.map(\.number)
        #expect(numbers == numbers.sorted() && numbers.allSatisfy { $0 > found.last })
        #expect(rest.groups.count * 2 + rest.lostEvents >= (100 - found.groups.count) * 2)
        // Later groups do not get places that a caller may still remove.
        try spill.add([group(1_000)])
        try spill.remove(upTo: found.last)
        #expect(spill.events == 2)
    }

    @Test func `a file that goes while it is closed gives no place again`() throws {
        let spill = try open()
        let (found, _) = try begin(spill, 20)
        spill.close()
        #expect(unlink(path) == 0)
        let later = (100...102).map { group($0) }
        try spill.add(later)
        try spill.remove(upTo: found.last)
        #expect(try spill.oldest(limit_bytes: 1_000).groups == later)
    }

    @Test func `a log without its file is moved aside and told, and the spill works`() throws {
        let copy = folder.file("copy")
        let spill = try open()
        try spill.add([group(1)])
        try FileStore.makeDirectory(copy)
        let log = try FileStore.read(path + "-wal", limit: 1 << 20)
        try FileStore.replace("\(copy)/\(SQLiteSpill.name)-wal", with: log)
        #expect(throws: JournalError.self) { try SQLiteSpill.waiting(in: copy) }
        let other = try SQLiteSpill(directory: copy)
        #expect(other.takeRepairs().map(\.isComplete) == [false])
        try other.add([group(2)])
        #expect(try other.oldest(limit_bytes: 1_000).groups == [group(2)])
        #expect(try Folder.names(copy).contains { $0.contains("damaged") && $0.hasSuffix("-wal") })
    }

    @Test func `the log of a file that was replaced is not taken for one of the other`() throws {
        let others = (1...10).map { group($0, producer: "q", size: 3_000) }
        do {
            let other = try SQLiteSpill(directory: folder.file("other"))
            try other.add(others)
            other.close()
        }
        let spill = try open()
        let own = (1...20).map { group($0, size: 3_000) }
        try spill.add(own)
        #expect(rename(folder.file("other") + "/" + SQLiteSpill.name, path) == 0)
        let found = try drain(spill, limit_bytes: 1 << 20)
        #expect(Array(found.prefix(20)) == own && found.map(\.bytes) == (own + others).map(\.bytes))
        let repairs = spill.takeRepairs()
        #expect(repairs.map(\.keptEvents) == [60] && repairs.map(\.isComplete) == [true])
    }

    @Test(arguments: [Int64.max, 1 << 60, -5])
    func `a place that cannot be is damage, and costs nothing`(place: Int64) throws {
        do {
            let spill = try open()
            try spill.add([group(1), group(2), group(3)])
            spill.close()
        }
        try change("UPDATE groups SET place = \(place) WHERE place = 2")
        let spill = try open()
        for _ in 1...3 {
            let found = try spill.oldest(limit_bytes: 1_000)
            #expect(Set(found.groups.map(\.bytes)) == Set([group(1), group(2), group(3)].map(\.bytes)))
            // Nothing comes behind a higher number of its producer.
            let numbers = found.groups.filter { $0.producer == "p" }.map(\.number)
            #expect(numbers == numbers.sorted())
        }
        let found = try spill.oldest(limit_bytes: 1_000)
        try spill.add([group(4)])
        try spill.remove(upTo: found.last)
        #expect(try spill.oldest(limit_bytes: 1_000).groups == [group(4)])
    }

    @Test func `a crash while a damaged file is moved aside leaves the new one`() throws {
        do {
            let spill = try open()
            try spill.add([group(1)])
            spill.close()
        }
        // The damaged file has its new name, and its log not yet.
        #expect(rename(path, path + ".salvaged") == 0)
        try FileStore.replace(path + "-wal", with: [UInt8](repeating: 9, count: 5_000))
        #expect(try SQLiteSpill.waiting(in: directory) == 2)
        let spill = try open()
        #expect(try spill.oldest(limit_bytes: 1_000).groups == [group(1)])
        #expect(spill.takeRepairs().isEmpty)
    }

    @Test func `a probe leaves nothing`() throws {
        let spill = try open()
        try spill.add([group(1)])
        try spill.probe()
        #expect(try names("salvage").isEmpty && spill.events == 2)
    }

    @Test func `rows whose places are out of order are taken out once`() throws {
        do {
            let spill = try open()
            try spill.add([group(1), group(2), group(3)])
            spill.close()
        }
        // The second byte of the first cell is its place. https://www.sqlite.org/fileformat2.html#b_tree_pages
        try edit(path) { bytes in
            let cell = 4_096 + Int(bytes[4_096 + 8]) << 8 + Int(bytes[4_096 + 9])
            let place = bytes[cell] >= 0x80 ? cell + 2 : cell + 1
            #expect(bytes[place] == 1)
            bytes[place] = 0x41
        }
        let spill = try open()
        let outcome = try takeOut(spill)
        #expect(spill.events == 0)
        #expect(Set(outcome.groups.map(\.number)).count == outcome.groups.count)
        #expect(outcome.groups.count * 2 + outcome.lostEvents <= 6 && outcome.groups.count >= 1)
        #expect(outcome.groups.count == 3 || outcome.lostEvents > 0)
    }

    @Test func `a folder that cannot be made again at once takes nothing along`() throws {
        let spill = try open()
        try spill.add([group(1)])
        #expect(rename(directory, directory + ".old") == 0)
        try FileStore.replace(directory, with: [])
        #expect(throws: JournalError.self) { try spill.add([group(2)]) }
        #expect(throws: JournalError.self) { try spill.add([group(3)]) }
        #expect(unlink(directory) == 0)
        try spill.add([group(4)])
        #expect(try spill.oldest(limit_bytes: 1_000).groups == [group(1), group(4)])
    }

    @Test func `a file that is removed while it is closed is told`() throws {
        let spill = try open()
        try spill.add([group(1), group(2)])
        spill.close()
        #expect(unlink(path) == 0)
        try spill.add([group(3)])
        #expect(spill.events == 2)
        let repair = try #require(spill.takeRepairs().first)
        #expect(!repair.isComplete && repair.lostEvents == 4)
    }

    @Test func `a damaged file in the place of the open one costs nothing of the open one`() throws {
        let spill = try open()
        try spill.add([group(1), group(2)])
        #expect(rename(path, path + ".old") == 0)
        try FileStore.replace(path, with: [UInt8](repeating: 7, count: 20_000))
        #expect(try spill.oldest(limit_bytes: 1_000).groups == [group(1), group(2)])
        #expect(spill.takeRepairs().allSatisfy { $0.keptEvents == 4 && $0.lostEvents <= 1 })
    }

    @Test func `a damaged file that another process reads is not taken for lost`() throws {
        let groups = (1...60).map { group(Int64($0), size: 3_000) }
        do {
            let spill = try open()
            try spill.add(groups)
            spill.close()
        }
        let reader = try Connection(path: path)
        #expect(try reader.number("SELECT COUNT(*) FROM sqlite_schema") == 2)
        try reader.begin(.deferred)
        #expect(try reader.number("SELECT COUNT(*) FROM sqlite_schema") == 2)
        #expect(throws: JournalError.self) { try open() }
        try reader.commit()
        reader.close()
        #expect(try names("damaged").isEmpty)
        #expect(try drain(open(), limit_bytes: 1 << 20) == groups)
    }

    @Test func `what waits is counted without a change`() throws {
        #expect(try SQLiteSpill.waiting(in: directory) == 0)
        do {
            let spill = try open()
            try spill.add([group(1), group(2)])
            spill.close()
        }
        let before = try FileStore.read(path, limit: 1 << 20)
        #expect(try SQLiteSpill.waiting(in: directory) == 4)
        #expect(try FileStore.read(path, limit: 1 << 20) == before)
        try edit(path) { bytes in for place in 4_096..<8_192 { bytes[place] = 0xFF } }
        #expect(throws: JournalError.self) { try SQLiteSpill.waiting(in: directory) }
        #expect(try names("damaged").isEmpty)
    }

    @Test(.enabled(if: SmallDisk.isPermitted))
    func `a file that goes while the disk is full takes nothing along`() throws {
        let disk = try #require(SmallDisk(size: "4m"))
        let spill = try SQLiteSpill(directory: disk.path + "/state")
        let groups = (1...40).map { group(Int64($0), size: 10_000) }
        try spill.add(groups)
        disk.fill()
        #expect(unlink("\(disk.path)/state/\(SQLiteSpill.name)") == 0)
        disk.fill()
        #expect(throws: JournalError.self) { try spill.add([group(99)]) }
        disk.free()
        // The next attempt is some seconds later.
        #expect(eventually { (try? spill.add([group(100)])) != nil })
        #expect(try drain(spill, limit_bytes: 1 << 20) == groups + [group(100)])
        #expect(spill.takeRepairs().map(\.lostEvents) == [0])
    }

    @Test(.enabled(if: SmallDisk.isPermitted))
    func `a damaged file for whose successor there is no room is tried again`() throws {
        let disk = try #require(SmallDisk(size: "4m"))
        let state = disk.path + "/state"
        let groups = (1...20).map { group(Int64($0), size: 3_000) }
        do {
            let spill = try SQLiteSpill(directory: state)
            try spill.add(groups)
            spill.close()
        }
        try edit("\(state)/\(SQLiteSpill.name)") { bytes in
            for place in bytes.count - 8_192..<bytes.count { bytes[place] = 0xFF }
        }
        disk.fill()
        _ = try? SQLiteSpill(directory: state).oldest(limit_bytes: 1 << 20)
        disk.free()
        let spill = try SQLiteSpill(directory: state)
        let outcome = try takeOut(spill)
        #expect(outcome.groups.count >= 17)
        // A place that cannot be read counts as one event.
        #expect((37...40).contains(outcome.groups.count * 2 + outcome.lostEvents))
    }
}
