import Glibc
import Journal
import JournalSQLite
import Platform
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
        // A group whose row is gone counts as one event.
        #expect((38...40).contains(outcome.groups.count * 2 + outcome.lostEvents))
    }
}
