import Glibc
import Platform
import RemoteWrite
import SQLite
import Shipper
import TestSupport
import Testing
import Wire

/// The file of a spool while nothing is wrong.
@Suite struct SpoolFileTests {
    let fixture = SpoolFixture()

    @Test(arguments: 1...4 as ClosedRange<UInt64>)
    func `what was committed is there, before and after the file is opened again`(_ seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        var model = SpoolModel()
        var file = try fixture.open()
        #expect(file.contents == SpoolContents() && file.notes.isEmpty)
        for number in 0..<120 as Range<Int64> {
            let commit = model.nextCommit(number, using: &random)
            try file.commit(commit)
            model.apply(commit)
            for (number, samples) in model.blocks { #expect(try file.block(number) == samples) }
            for (number, batch) in model.batches { #expect(try file.batch(number) == batch.samples) }
            guard Int.random(in: 0..<6, using: &random) == 0 else { continue }
            file.close()
            file = try fixture.open()
            #expect(try SpoolModel(file) == model, "after commit \(number)")
            #expect(file.contents.damagedRows == 0 && file.contents.damagedSamples == 0 && file.notes.isEmpty)
        }
        #expect(model.blocks.count > 10 && model.batches.count > 5 && model.series.count > 100)
    }

    @Test func `blocks and batches come in the order of their numbers`() throws {
        let file = try fixture.open()
        var commit = SpoolCommit()
        for number in [7, 3, 900, 41] as [Int64] {
            commit.blocks.append(SpooledBlock(number: number, samples: SpoolFixture.samples(number)))
            commit.batches.append(SpooledBatch(number: -number, shard: 1, samples: SpoolFixture.samples(number)))
        }
        try file.commit(commit)
        file.close()
        let contents = try fixture.open().contents
        #expect(contents.blocks.map(\.number) == [3, 7, 41, 900])
        #expect(contents.batches.map(\.number) == [-900, -41, -7, -3])
        #expect(contents.batches.allSatisfy { $0.shard == 1 })
    }

    @Test func `samples that were packed can be unpacked after a restart`() throws {
        var block = SampleBlock()
        block.fill(rows: 100...5_000, 42.5, at: SpoolFixture.noon)
        var (raw, compressed): ([UInt8], [UInt8]) = ([], [])
        var commit = SpoolCommit()
        commit.blocks = [SpooledBlock(number: 1, samples: PackedBlock(block, raw: &raw, compressed: &compressed))]
        do { try fixture.open().commit(commit) }
        var read = SampleBlock()
        #expect(try #require(try fixture.open().block(1)).unpack(into: &read))
        #expect(read == block)
    }

    @Test func `a batch replaces one with the same number, and a removed number can come again`() throws {
        let file = try fixture.open()
        var commit = SpoolCommit()
        commit.blocks = [SpooledBlock(number: 1, samples: SpoolFixture.samples(1))]
        commit.batches = [SpooledBatch(number: 1, shard: 2, samples: SpoolFixture.samples(2))]
        try file.commit(commit)
        commit.removedBlocks = [1]
        commit.blocks = [SpooledBlock(number: 1, samples: SpoolFixture.samples(3))]
        commit.batches = [SpooledBatch(number: 1, shard: 3, samples: SpoolFixture.samples(4))]
        try file.commit(commit)
        file.close()
        let model = try SpoolModel(fixture.open())
        #expect(model.blocks == [1: SpoolFixture.samples(3)])
        #expect(model.batches == [1: .init(shard: 3, samples: SpoolFixture.samples(4))])
    }

    @Test func `what was never there is not read, and removing it changes nothing`() throws {
        let file = try fixture.open()
        var commit = SpoolCommit()
        commit.removedBlocks = [1, 2]
        commit.removedBatches = [9]
        try file.commit(commit)
        #expect(try file.block(1) == nil && file.batch(9) == nil)
    }

    @Test func `a block that is there already is refused, and the file goes on`() throws {
        let file = try fixture.open()
        var commit = SpoolCommit()
        commit.blocks = [SpooledBlock(number: 1, samples: SpoolFixture.samples(1))]
        try file.commit(commit)
        commit.blocks.insert(SpooledBlock(number: 2, samples: SpoolFixture.samples(2)), at: 0)
        #expect(SpoolFixture.kind { try file.commit(commit) } == .other)
        #expect(try file.isOpen && file.block(2) == nil && file.block(1) == SpoolFixture.samples(1))
        commit.removedBlocks = [1]
        try file.commit(commit)
        #expect(try file.block(2) != nil)
    }

    @Test func `an empty commit writes nothing, unless it makes an earlier one durable`() throws {
        let file = try fixture.open()
        let log = DatabaseFiles.logPath(fixture.path)
        try file.commit(SpoolCommit())
        #expect(Folder.size_bytes(log) == 0)
        var commit = SpoolCommit()
        commit.blocks = [SpooledBlock(number: 1, samples: SpoolFixture.samples(1))]
        commit.isDurable = false
        try file.commit(commit)
        let size = Folder.size_bytes(log)
        #expect(size > 0)
        try file.commit(SpoolCommit())
        #expect(Folder.size_bytes(log) > size)
        let durable = Folder.size_bytes(log)
        try file.commit(SpoolCommit())
        #expect(Folder.size_bytes(log) == durable)
    }

    @Test func `nobody else can read the file, and its pages are as they should be`() throws {
        let file = try fixture.open()
        var status = stat()
        #expect(stat(fixture.path, &status) == 0 && status.st_mode & 0o777 == 0o600)
        file.close()
        var settings = ConnectionSettings()
        settings.usesWriteAheadLog = false
        let connection = try Connection(path: fixture.path, settings)
        #expect(try connection.number("PRAGMA page_size") == 4_096)
        #expect(try connection.number("PRAGMA auto_vacuum") == 2)
        #expect(try connection.number("PRAGMA user_version") == 1)
        #expect(try connection.number("PRAGMA application_id") == 0x6C6B_7073)
    }

    // MARK: Size and end

    @Test func `shrinking gives the room of removed samples back to the file system`() throws {
        let file = try fixture.open()
        var commit = SpoolCommit()
        commit.blocks = (0..<60 as Range<Int64>).map { number in
            let body = [UInt8](repeating: UInt8(number), count: 200_000)
            return SpooledBlock(
                number: number,
                samples: PackedBlock(
                    base: SpoolFixture.noon, count: 1, oldest: SpoolFixture.noon, newest: SpoolFixture.noon, body: body)
            )
        }
        try file.commit(commit)
        #expect(file.size_bytes > 12_000_000)
        var removal = SpoolCommit()
        // The last block stays, so its pages have to move.
        removal.removedBlocks = Array(0..<59)
        try file.commit(removal)
        #expect(file.size_bytes > 12_000_000)
        try file.shrink()
        #expect(file.size_bytes < 300_000)
        #expect(try file.block(59)?.body == [UInt8](repeating: 59, count: 200_000))
        try file.shrink()
        file.close()
        #expect(try fixture.open().contents.blocks.map(\.number) == [59])
    }

    @Test func `a spool that is removed leaves no file, and the next one is empty`() throws {
        let file = try fixture.open()
        var commit = SpoolCommit()
        commit.blocks = [SpooledBlock(number: 1, samples: SpoolFixture.samples(1))]
        try file.commit(commit)
        #expect(SpoolFile.exists(at: fixture.path))
        file.remove()
        #expect(try fixture.names() == [] && !SpoolFile.exists(at: fixture.path) && !file.isOpen)
        #expect(SpoolFixture.kind { try file.commit(commit) } == .other)
        #expect(SpoolFixture.kind { _ = try file.block(1) } == .other)
        file.remove()
        #expect(try fixture.open().contents == SpoolContents())
    }

    @Test func `the content can be forgotten`() throws {
        let file = try fixture.open()
        var commit = SpoolCommit()
        commit.series = [SpoolFixture.series(1)]
        try file.commit(commit)
        file.close()
        let again = try fixture.open()
        #expect(again.contents.series == commit.series)
        again.forgetContents()
        #expect(again.contents == SpoolContents())
    }

    // MARK: The folder

    @Test func `a folder knows the destinations that have a spool`() throws {
        #expect(SpoolFile.names(in: fixture.directory) == [])
        for name in ["default", "eu", "archive2"] {
            let path = SpoolFile.path(directory: fixture.directory, destination: name)
            _ = try SpoolFile(path: path, now: SpoolFixture.noon)
        }
        for other in ["journal.db", "spool-.db", "spool-a b.db", "spool-x.db-wal", "spool-x.db.newer-1", "spool-x"] {
            try FileStore.replace("\(fixture.directory)/\(other)", with: [])
        }
        // One that waits to be salvaged is a spool, too.
        try FileStore.replace("\(fixture.directory)/spool-hurt.db.damaged", with: [])
        #expect(SpoolFile.names(in: fixture.directory) == ["archive2", "default", "eu", "hurt"])
        for name in SpoolFile.names(in: fixture.directory) {
            SpoolFile.discard(SpoolFile.path(directory: fixture.directory, destination: name))
        }
        #expect(SpoolFile.names(in: fixture.directory) == [])
        #expect(try fixture.names().contains("journal.db") && fixture.names().contains("spool-x"))
    }

    @Test func `a spool can be looked at without a change`() throws {
        #expect(SpoolFile.glimpse(at: fixture.path) == nil)
        let file = try fixture.open()
        var commit = SpoolCommit()
        commit.blocks = [SpooledBlock(number: 5, samples: SpoolFixture.samples(5))]
        commit.batches = [SpooledBatch(number: 2, shard: 0, samples: SpoolFixture.samples(2))]
        try file.commit(commit)
        // Whoever has it open, has it alone.
        #expect(SpoolFile.glimpse(at: fixture.path) == nil)
        // A process that was killed leaves its log.
        let copy = fixture.folder.file("copy")
        #expect(ChildProcess.run("/bin/cp", ["-a", fixture.directory, copy]).status == 0)
        file.close()
        let expected = SpoolFile.Glimpse(
            samples: SpoolFixture.samples(5).count + SpoolFixture.samples(2).count,
            newest: SpoolFixture.samples(5).newest)
        let killed = SpoolFile.path(directory: copy, destination: "eu")
        for path in [fixture.path, killed] {
            let bytes = try FileStore.read(path)
            #expect(SpoolFile.glimpse(at: path) == expected)
            #expect(try FileStore.read(path) == bytes)
        }
        #expect(try SpoolModel(SpoolFile(path: killed, now: SpoolFixture.noon)).blocks.count == 1)
    }

    @Test func `a part of a file system stays free`() {
        #expect(SpoolFile.reserve_bytes(total: 0) == 128 << 20)
        #expect(SpoolFile.reserve_bytes(total: 1 << 30) == 128 << 20)
        #expect(SpoolFile.reserve_bytes(total: 100 << 30) == (100 << 30) / 10)
        #expect(SpoolFile.reserve_bytes(total: .max) > 0)
    }
}
