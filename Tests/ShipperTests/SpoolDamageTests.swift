import Glibc
import Metrics
import Platform
import RemoteWrite
import SQLite
import Shipper
import TestSupport
import Testing
import Wire

/// Flipped bits, cut files, lost pages, and files of others. The spool never traps, never gives samples that were not
/// written, and counts what is missing.
@Suite struct SpoolDamageTests {
    let fixture = SpoolFixture()

    /// Makes a spool of `commits` commits. Returns what is in it after each of them.
    @discardableResult
    private func fill(_ commits: Int64, seed: UInt64 = 5, close: Bool = true) throws -> (
        file: SpoolFile, models: [SpoolModel]
    ) {
        var random = SeededGenerator(seed: seed)
        let file = try fixture.open()
        var models = [SpoolModel()]
        for number in 0..<commits {
            var model = models[models.count - 1]
            var commit = model.nextCommit(number, using: &random)
            if number == 0 { commit.requests = SpooledRequests(shards: 3, message: .v2, endpoint: "e") }
            try file.commit(commit)
            model.apply(commit)
            models.append(model)
        }
        if close { file.close() }
        return (file, models)
    }

    /// Opens a copy of a spool after a change of one of its files.
    private func open(
        _ source: String, _ suffix: String = "", _ change: (inout [UInt8]) -> Void
    ) throws -> (file: SpoolFile, path: String) {
        let target = fixture.folder.file("changed")
        #expect(ChildProcess.run("/bin/rm", ["-rf", target]).status == 0)
        #expect(ChildProcess.run("/bin/cp", ["-a", source, target]).status == 0)
        let path = SpoolFile.path(directory: target, destination: "eu")
        var bytes = try FileStore.read(path + suffix, limit: 1 << 30)
        change(&bytes)
        try FileStore.replace(path + suffix, with: bytes)
        return (try SpoolFile(path: path, now: SpoolFixture.noon), path)
    }

    /// Checks that all that is there is as it was written, that the rest was counted, and that the spool goes on.
    /// Returns true if no row is missing that was not counted.
    @discardableResult
    private func check(_ file: SpoolFile, _ path: String, _ expected: SpoolModel, _ what: String) throws -> Bool {
        var current = file
        var contents = file.contents
        var found = SpoolModel()
        var counted = (rows: contents.damagedRows, samples: contents.damagedSamples)
        while true {
            do {
                found = try SpoolModel(current, contents)
                break
            } catch let error as SpoolError {
                // Damage that no header shows is met when samples are read. Opening the file again salvages the rest.
                #expect(error.kind == .damaged && !current.isOpen, "\(what): \(error)")
                current = try SpoolFile(path: path, now: SpoolFixture.noon)
                contents = current.contents
                counted = (counted.rows + contents.damagedRows, counted.samples + contents.damagedSamples)
            }
        }
        #expect(found.isPart(of: expected), "\(what): something was invented")
        let rows = counted.rows + found.unreadRows
        // How many there were is not known if that page itself is lost.
        let isExact = rows >= expected.rows - found.rows
        let missing = expected.sampleCount - found.sampleCount
        let samples = counted.samples + found.unreadSamples
        #expect(samples <= missing, "\(what): \(samples) samples counted, \(missing) are missing")
        if !isExact || missing > 0 || found.requests != expected.requests {
            #expect(rows > 0, "\(what): nothing was counted")
        }
        // A damaged row goes with the next commit, and the spool works.
        var commit = SpoolCommit()
        commit.removedBlocks = contents.blocks.map(\.number).filter { found.blocks[$0] == nil }
        commit.removedBatches = contents.batches.map(\.number).filter { found.batches[$0] == nil }
        commit.blocks = [SpooledBlock(number: 1_000_000, samples: SpoolFixture.samples(1_000_000))]
        do {
            try current.commit(commit)
        } catch {
            #expect(error.kind == .damaged, "\(what): \(error)")
            current = try SpoolFile(path: path, now: SpoolFixture.noon)
            commit.removedBlocks = []
            try current.commit(commit)
        }
        current.close()
        let again = try SpoolFile(path: path, now: SpoolFixture.noon)
        #expect(try again.block(1_000_000) == SpoolFixture.samples(1_000_000), "\(what)")
        again.close()
        return isExact
    }

    // MARK: The file

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `a flipped bit on any page loses little, and what is lost is counted`(_ seed: UInt64) throws {
        let model = try #require(try fill(60).models.last)
        let size = Folder.size_bytes(fixture.path)
        var random = SeededGenerator(seed: seed)
        var kept = 0
        var (flips, exact) = (0, 0)
        for page in 0..<size / 4_096 {
            let place = page * 4_096 + Int.random(in: 0..<4_096, using: &random)
            let bit = UInt8.random(in: 0..<8, using: &random)
            let (file, path) = try open(fixture.directory) { $0[place] ^= 1 << bit }
            kept += file.contents.blocks.count + file.contents.batches.count + file.contents.series.count
            flips += 1
            if try check(file, path, model, "place \(place), bit \(bit)") { exact += 1 }
        }
        #expect(flips > 20 && exact >= flips - 2)
        #expect(kept > model.rows * flips * 9 / 10)
    }

    @Test func `a flipped bit in any byte of the header, and of the list of tables, loses nothing`() throws {
        let model = try #require(try fill(12).models.last)
        var random = SeededGenerator(seed: 9)
        var places = Array(0..<108)
        let page = Array(try FileStore.read(fixture.path).prefix(4_096))
        places += (108..<4_096).filter { page[$0] != 0 && Int.random(in: 0..<6, using: &random) == 0 }
        for place in places {
            let bit = UInt8.random(in: 0..<8, using: &random)
            let (file, path) = try open(fixture.directory) { $0[place] ^= 1 << bit }
            #expect(file.contents.series.count == model.series.count, "place \(place), bit \(bit): \(file.notes)")
            try check(file, path, model, "place \(place), bit \(bit)")
        }
    }

    @Test func `a page of zeros, or of noise, is passed over`() throws {
        let model = try #require(try fill(40).models.last)
        let pages = Folder.size_bytes(fixture.path) / 4_096
        var random = SeededGenerator(seed: 4)
        var exact = 0
        for page in 0..<pages {
            for isNoise in [false, true] {
                let (file, path) = try open(fixture.directory) { bytes in
                    for place in page * 4_096..<(page + 1) * 4_096 {
                        bytes[place] = isNoise ? UInt8.random(in: 0...255, using: &random) : 0
                    }
                }
                if try check(file, path, model, "page \(page)") { exact += 1 }
            }
        }
        // The first page and that of the totals are the exceptions.
        #expect(exact >= 2 * pages - 6)
    }

    @Test func `a file cut short keeps what it can`() throws {
        let model = try #require(try fill(40).models.last)
        let size = Folder.size_bytes(fixture.path)
        var kept = 0
        for cut in stride(from: 0, to: size, by: 3_100) {
            let (file, path) = try open(fixture.directory) { $0.removeLast($0.count - cut) }
            kept += file.contents.blocks.count + file.contents.batches.count
            // An empty file is one that nothing was ever written to.
            if cut > 0 { try check(file, path, model, "cut at \(cut)") }
        }
        #expect(kept > 100)
    }

    // MARK: The log

    @Test func `a log that is cut anywhere holds every commit before the cut and nothing else`() throws {
        let (file, models) = try fill(25, close: false)
        let live = fixture.folder.file("live")
        #expect(ChildProcess.run("/bin/cp", ["-a", fixture.directory, live]).status == 0)
        file.close()
        let whole = Folder.size_bytes(live + "/spool-eu.db-wal")
        #expect(whole > 300_000)
        var random = SeededGenerator(seed: 11)
        let boundaries = Array(stride(from: 32, through: whole, by: 24 + 4_096))
        let anywhere = (0..<40).map { _ in Int.random(in: 0...whole, using: &random) }
        var last = 0
        for cut in (boundaries + anywhere + [0, 1, 31, whole]).sorted() {
            let (file, _) = try open(live, "-wal") { $0.removeLast($0.count - cut) }
            let found = try SpoolModel(file)
            let number = try #require(models.firstIndex(of: found), "cut at \(cut)")
            #expect(number >= last && file.contents.damagedRows == 0, "cut at \(cut)")
            last = number
        }
        #expect(last == models.count - 1)
    }

    @Test(arguments: 1...3 as ClosedRange<UInt64>)
    func `a flipped bit in the log loses nothing before it and is counted`(_ seed: UInt64) throws {
        let (file, models) = try fill(25, close: false)
        let live = fixture.folder.file("live")
        #expect(ChildProcess.run("/bin/cp", ["-a", fixture.directory, live]).status == 0)
        file.close()
        let whole = Folder.size_bytes(live + "/spool-eu.db-wal")
        var random = SeededGenerator(seed: seed)
        for _ in 0..<40 {
            let place = Int.random(in: 0..<whole, using: &random)
            let (file, path) = try open(live, "-wal") { $0[place] ^= 1 << UInt8.random(in: 0..<8, using: &random) }
            let found = try SpoolModel(file)
            let number = try #require(models.firstIndex(of: found), "place \(place)")
            // Nobody can tell whether the last commit was ever finished.
            if number < models.count - 2 { #expect(file.contents.damagedRows == 1, "place \(place)") }
            // It is counted once.
            file.close()
            #expect(try SpoolFile(path: path, now: SpoolFixture.noon).contents.damagedRows == 0)
        }
    }

    @Test func `a copy at any moment of a live spool opens`() throws {
        var random = SeededGenerator(seed: 2)
        let file = try fixture.open()
        var model = SpoolModel()
        for number in 0..<20 as Range<Int64> {
            let commit = model.nextCommit(number, using: &random)
            try file.commit(commit)
            model.apply(commit)
            let copy = fixture.folder.file("copy-\(number)")
            #expect(ChildProcess.run("/bin/cp", ["-a", fixture.directory, copy]).status == 0)
            let path = SpoolFile.path(directory: copy, destination: "eu")
            #expect(try SpoolModel(SpoolFile(path: path, now: SpoolFixture.noon)) == model)
        }
    }

    // MARK: Rows

    private func change(_ sql: String) throws {
        var settings = ConnectionSettings()
        settings.usesWriteAheadLog = false
        try Connection(path: fixture.path, settings).execute(sql)
    }

    @Test func `samples are read when they are needed, and not when the file is opened`() throws {
        let model = try #require(try fill(20).models.last)
        let number = try #require(model.blocks.keys.max())
        try change("UPDATE blocks SET body = zeroblob(length(body)) WHERE number = \(number)")
        let file = try fixture.open()
        #expect(file.contents.damagedRows == 0 && file.contents.blocks.last?.number == number)
        #expect(try file.block(number) == nil && file.isOpen)
        var removal = SpoolCommit()
        removal.removedBlocks = [number]
        try file.commit(removal)
        file.close()
        #expect(try fixture.open().contents.blocks.count == model.blocks.count - 1)
    }

    @Test(arguments: [
        ("UPDATE blocks SET count = count + 1", "blocks"), ("UPDATE blocks SET count = -1", "blocks"),
        ("UPDATE blocks SET oldest = oldest - 1", "blocks"), ("UPDATE blocks SET newest = newest + 1", "blocks"),
        ("UPDATE blocks SET base = 'x'", "blocks"), ("UPDATE blocks SET body = x'00'", "blocks"),
        ("UPDATE batches SET shard = shard + 1", "batches"), ("UPDATE batches SET shard = -1", "batches"),
        ("UPDATE batches SET head_crc = 0", "batches"), ("UPDATE batches SET number = number + 500000", "batches"),
        ("UPDATE series SET crc = crc + 1", "series"), ("UPDATE series SET body = x'0801'", "series"),
        ("UPDATE series SET first_row = first_row + 1000000", "series"),
    ])
    func `a row with a wrong checksum is counted once, and is gone`(_ sql: String, _ table: String) throws {
        let model = try #require(try fill(20).models.last)
        let key = table == "series" ? "first_row" : "number"
        try change("\(sql) WHERE \(key) = (SELECT max(\(key)) FROM \(table))")
        let file = try fixture.open()
        #expect(file.contents.damagedRows == 1 && file.notes.count == 1)
        let lost: Int =
            switch table {
            case "blocks": model.blocks.max { $0.key < $1.key }?.value.count ?? 0
            case "batches": model.batches.max { $0.key < $1.key }?.value.samples.count ?? 0
            default: 0
            }
        #expect(file.contents.damagedSamples == lost)
        let found = try SpoolModel(file)
        #expect(found.isPart(of: model) && found.rows == model.rows - 1)
        file.close()
        let again = try fixture.open()
        #expect(again.contents.damagedRows == 0 && again.contents.damagedSamples == 0 && again.notes.isEmpty)
        #expect(try SpoolModel(again).rows == found.rows)
    }

    @Test func `rows that went without a trace are counted`() throws {
        let model = try #require(try fill(20).models.last)
        try change("DELETE FROM blocks")
        let contents = try fixture.open().contents
        #expect(contents.damagedRows == model.blocks.count)
        #expect(contents.damagedSamples == model.blocks.values.reduce(0) { $0 + $1.count })
    }

    @Test func `two series that share a row are damage`() throws {
        let file = try fixture.open()
        var commit = SpoolCommit()
        // A histogram of four bounds has seven rows: 40 to 46.
        let good = SpoolFixture.series(2)
        let bad = SpooledSeries(
            firstRow: 46, family: "a", help: "A.", kind: .gauge, labelNames: [], labelValues: [], commonNames: [],
            commonValues: [], start: nil)
        let next = SpooledSeries(
            firstRow: 47, family: "a", help: "A.", kind: .gauge, labelNames: [], labelValues: [], commonNames: [],
            commonValues: [], start: nil)
        commit.series = [next, bad, good]
        try file.commit(commit)
        file.close()
        let contents = try fixture.open().contents
        #expect(contents.series == [good, next] && contents.damagedRows == 1)
    }

    @Test func `a damaged value is counted once`() throws {
        let model = try #require(try fill(10).models.last)
        try change("UPDATE meta SET crc = 1 WHERE key = 'requests'")
        let file = try fixture.open()
        #expect(file.contents.requests == nil && file.contents.damagedRows == 1)
        #expect(try SpoolModel(file).rows == model.rows)
        file.close()
        #expect(try fixture.open().contents.damagedRows == 0)
        try change("DELETE FROM meta WHERE key = 'totals'")
        let other = try fixture.open()
        #expect(try SpoolModel(other).rows == model.rows)
    }

    // MARK: Other files

    @Test func `a spool of a newer program is moved aside, one of them`() throws {
        for round in 1...3 {
            try fill(5)
            try change("PRAGMA user_version = \(round + 7)")
            // The number is damaged, unless the value in the table says the same.
            do {
                let file = try fixture.open()
                #expect(file.contents.blocks.count > 0 && file.contents.damagedRows > 0)
                file.remove()
            }
            try fill(5)
            try change("PRAGMA user_version = 7")
            try change(
                "INSERT OR REPLACE INTO meta VALUES ('format', \(Self.checksum("format=7")), CAST('7' AS BLOB))")
            let file = try fixture.open()
            #expect(file.contents == SpoolContents() && file.notes.count == 1)
            #expect(try fixture.names().filter { $0.contains(".newer-") }.count == 1)
            file.remove()
        }
        #expect(SpoolFile.names(in: fixture.directory) == [])
    }

    private static func checksum(_ text: String) -> Int64 { RowChecksum.of(kind: 1, Array(text.utf8).span) }

    @Test func `a file of something else is moved aside, one of them`() throws {
        try FileStore.makeDirectory(fixture.directory)
        let text = Array(String(repeating: "This is no database.\n", count: 900).utf8)
        for round in 0..<3 {
            switch round {
            case 0: try FileStore.replace(fixture.path, with: text)
            case 1:
                let other = try Connection(path: fixture.path)
                try other.execute("CREATE TABLE x (y); INSERT INTO x VALUES (1)")
            default: try FileStore.replace(fixture.path, with: [UInt8](repeating: 0, count: 10_000))
            }
            let file = try fixture.open()
            #expect(file.contents.blocks.isEmpty && !file.notes.isEmpty)
            let aside = try fixture.names().filter { $0.contains(".unreadable-") && !$0.hasSuffix("-wal") }
            #expect(aside.count == 1, "round \(round): \(aside)")
            if round == 0, let name = aside.first {
                #expect(try FileStore.read("\(fixture.directory)/\(name)") == text)
            }
            file.remove()
        }
    }

    @Test func `a log without its file belongs to no spool`() throws {
        let (file, _) = try fill(5, close: false)
        let log = try FileStore.read(DatabaseFiles.logPath(fixture.path), limit: 1 << 30)
        file.remove()
        try FileStore.replace(DatabaseFiles.logPath(fixture.path), with: log)
        let fresh = try fixture.open()
        #expect(fresh.contents == SpoolContents() && fresh.notes.isEmpty)
    }

    @Test func `a recovery that was interrupted is done again, or was done`() throws {
        let model = try #require(try fill(20).models.last)
        let whole = try FileStore.read(fixture.path, limit: 1 << 30)
        // It was interrupted before the new file was finished.
        #expect(rename(fixture.path, fixture.path + ".damaged") == 0)
        try FileStore.replace(fixture.path + ".salvage", with: Array(whole.prefix(5_000)))
        let file = try fixture.open()
        #expect(try SpoolModel(file) == model && file.contents.damagedRows == 1)
        #expect(try fixture.names().sorted() == ["spool-eu.db", "spool-eu.db-wal"])
        file.close()
        // It was interrupted after that.
        try FileStore.replace(fixture.path + ".damaged", with: whole)
        let again = try fixture.open()
        #expect(try SpoolModel(again) == model && again.contents.damagedRows == 0)
        #expect(try fixture.names().sorted() == ["spool-eu.db", "spool-eu.db-wal"])
    }

    @Test func `the log of a damaged file is found, whenever the process died`() throws {
        for isMoved in [false, true] {
            let (file, models) = try fill(20, close: false)
            let live = fixture.folder.file("live-\(isMoved)")
            #expect(ChildProcess.run("/bin/cp", ["-a", fixture.directory, live]).status == 0)
            file.remove()
            let path = SpoolFile.path(directory: live, destination: "eu")
            #expect(rename(path, path + ".damaged") == 0)
            if isMoved { #expect(rename(path + "-wal", path + ".damaged-wal") == 0) }
            #expect(try SpoolModel(SpoolFile(path: path, now: SpoolFixture.noon)) == models.last)
        }
    }
}
