import Glibc
import Platform
import RemoteWrite
import Shipper
import TestSupport
import Testing
import Wire

/// Disks that are full, folders that cannot be written, files that disappear, and processes that die. The spool refuses
/// commits, keeps what it has, and goes on.
@Suite struct SpoolTroubleTests {
    let fixture = SpoolFixture()

    // MARK: No room

    @Test(.enabled(if: SmallFileSystem.isAllowed))
    func `a full disk refuses commits, wherever it is full, and changes nothing`() throws {
        let disk = try SmallFileSystem(in: fixture.folder)
        let path = SpoolFile.path(directory: disk.path, destination: "eu")
        var random = SeededGenerator(seed: 8)
        var model = SpoolModel()
        let file = try SpoolFile(path: path, now: SpoolFixture.noon)
        var number: Int64 = 0
        for round in 0..<30 {
            try disk.fill(sparing: round * 4_096)
            var refused: SpoolError.Kind?
            while refused == nil {
                let commit = model.nextCommit(number, using: &random)
                number += 1
                refused = SpoolFixture.kind { try file.commit(commit) }
                if refused == nil { model.apply(commit) }
            }
            #expect(refused == .full && file.isOpen, "round \(round)")
            // The samples can still be read, so that they can be sent.
            for (number, samples) in model.blocks { #expect(try file.block(number) == samples) }
            disk.free()
            let commit = model.nextCommit(number, using: &random)
            number += 1
            try file.commit(commit)
            model.apply(commit)
        }
        file.close()
        let again = try SpoolFile(path: path, now: SpoolFixture.noon)
        #expect(try SpoolModel(again) == model && again.contents.damagedRows == 0)
    }

    @Test(.enabled(if: SmallFileSystem.isAllowed))
    func `a spool can be removed, opened and read on a full disk`() throws {
        let disk = try SmallFileSystem(in: fixture.folder)
        let path = SpoolFile.path(directory: disk.path, destination: "eu")
        var model = SpoolModel()
        var random = SeededGenerator(seed: 1)
        do {
            let file = try SpoolFile(path: path, now: SpoolFixture.noon)
            for number in 0..<20 as Range<Int64> {
                let commit = model.nextCommit(number, using: &random)
                try file.commit(commit)
                model.apply(commit)
            }
        }
        try disk.fill(sparing: 0)
        do {
            let file = try SpoolFile(path: path, now: SpoolFixture.noon)
            #expect(try SpoolModel(file) == model)
            file.remove()
            #expect(!SpoolFile.exists(at: path))
        }
        disk.free()
        for spared in stride(from: 0, to: 120_000, by: 4_096) {
            try disk.fill(sparing: spared)
            let refused = SpoolFixture.kind { _ = try SpoolFile(path: path, now: SpoolFixture.noon) }
            #expect(refused == nil || refused == .full, "\(spared) bytes are left")
            disk.free()
            // Nobody has used the file that was made only in part.
            let file = try SpoolFile(path: path, now: SpoolFixture.noon)
            #expect(file.contents == SpoolContents() && file.notes.isEmpty, "\(spared) bytes were left")
            file.remove()
        }
    }

    @Test(.enabled(if: SmallFileSystem.isAllowed))
    func `a damaged spool on a full disk waits until there is room to salvage it`() throws {
        let disk = try SmallFileSystem(in: fixture.folder)
        let path = SpoolFile.path(directory: disk.path, destination: "eu")
        do {
            let file = try SpoolFile(path: path, now: SpoolFixture.noon)
            var commit = SpoolCommit()
            commit.blocks = (0..<40 as Range<Int64>).map {
                SpooledBlock(number: $0, samples: SpoolFixture.samples($0))
            }
            try file.commit(commit)
        }
        var bytes = try FileStore.read(path)
        for place in 4_096..<8_192 { bytes[place] ^= 0xFF }
        bytes[16] ^= 0x40
        try FileStore.replace(path, with: bytes)
        for spared in stride(from: 0, to: 100_000, by: 16_384) {
            try disk.fill(sparing: spared)
            #expect(SpoolFixture.kind { _ = try SpoolFile(path: path, now: SpoolFixture.noon) } == .full)
            #expect(SpoolFile.exists(at: path) && SpoolFile.names(in: disk.path) == ["eu"])
            disk.free()
        }
        let file = try SpoolFile(path: path, now: SpoolFixture.noon)
        #expect(file.contents.blocks.count == 40)
        for number in 0..<40 as Range<Int64> { #expect(try file.block(number) == SpoolFixture.samples(number)) }
    }

    @Test(.enabled(if: SmallFileSystem.isAllowed))
    func `a file system that may not be written is told`() throws {
        let disk = try SmallFileSystem(in: fixture.folder)
        let path = SpoolFile.path(directory: disk.path, destination: "eu")
        try disk.remount(isReadOnly: true)
        #expect(SpoolFixture.kind { _ = try SpoolFile(path: path, now: SpoolFixture.noon) } == .other)
        SpoolFile.discard(path)
        try disk.remount(isReadOnly: false)
        var commit = SpoolCommit()
        commit.blocks = [SpooledBlock(number: 1, samples: SpoolFixture.samples(1))]
        do { try SpoolFile(path: path, now: SpoolFixture.noon).commit(commit) }
        try disk.remount(isReadOnly: true)
        #expect(SpoolFixture.kind { _ = try SpoolFile(path: path, now: SpoolFixture.noon) } == .other)
        SpoolFile.discard(path)
        #expect(SpoolFile.exists(at: path))
        try disk.remount(isReadOnly: false)
        #expect(try SpoolFile(path: path, now: SpoolFixture.noon).contents.blocks.count == 1)
    }

    @Test(.enabled(if: Self.mayBeImmutable))
    func `a file that cannot be deleted is emptied`() throws {
        let file = try fixture.open()
        var commit = SpoolCommit()
        commit.blocks = [SpooledBlock(number: 1, samples: SpoolFixture.samples(1))]
        try file.commit(commit)
        #expect(Self.makeImmutable(fixture.directory, true))
        file.remove()
        #expect(Self.makeImmutable(fixture.directory, false))
        #expect(SpoolFile.exists(at: fixture.path))
        let again = try fixture.open()
        #expect(again.contents == SpoolContents() && again.notes.isEmpty)
    }

    /// Makes a folder immutable, also for root; false if the file system knows no such thing.
    private static func makeImmutable(_ path: String, _ isImmutable: Bool) -> Bool {
        ChildProcess.run("/usr/bin/chattr", [isImmutable ? "+i" : "-i", path]).status == 0
    }

    static let mayBeImmutable: Bool = {
        let folder = TemporaryFolder()
        return makeImmutable(folder.path, true) && makeImmutable(folder.path, false)
    }()

    // MARK: Files that disappear

    @Test func `a file or a log that was removed or replaced is noticed before the next commit`() throws {
        var commit = SpoolCommit()
        commit.blocks = [SpooledBlock(number: 1, samples: SpoolFixture.samples(1))]
        var next = SpoolCommit()
        next.blocks = [SpooledBlock(number: 2, samples: SpoolFixture.samples(2))]
        for suffix in ["", "-wal"] {
            for isReplaced in [false, true] {
                let fixture = SpoolFixture()
                let file = try fixture.open()
                try file.commit(commit)
                let bytes = try FileStore.read(fixture.path + suffix)
                #expect(unlink(fixture.path + suffix) == 0)
                if isReplaced { try FileStore.replace(fixture.path + suffix, with: bytes) }
                #expect(SpoolFixture.kind { try file.commit(next) } == .gone)
                #expect(SpoolFixture.kind { try file.commit(next) } == .gone)
                #expect(SpoolFixture.kind { _ = try file.block(1) } == .gone)
                #expect(!file.isOpen)
                // Removing the old one does not touch the file that is in its place now.
                file.remove()
                if isReplaced && suffix.isEmpty { #expect(try FileStore.read(fixture.path) == bytes) }
                let again = try fixture.open()
                try again.commit(next)
                #expect(try again.block(2) == SpoolFixture.samples(2))
            }
        }
    }

    @Test func `a folder that was removed is made anew`() throws {
        let file = try fixture.open()
        #expect(ChildProcess.run("/bin/rm", ["-rf", fixture.directory]).status == 0)
        var commit = SpoolCommit()
        commit.blocks = [SpooledBlock(number: 1, samples: SpoolFixture.samples(1))]
        #expect(SpoolFixture.kind { try file.commit(commit) } == .gone)
        #expect(SpoolFixture.kind { try file.shrink() } == .gone)
        try fixture.open().commit(commit)
    }

    @Test func `a file is open once at a time`() throws {
        let file = try fixture.open()
        var commit = SpoolCommit()
        commit.blocks = [SpooledBlock(number: 1, samples: SpoolFixture.samples(1))]
        try file.commit(commit)
        #expect(SpoolFixture.kind { _ = try fixture.open() } == .other)
        commit.blocks = [SpooledBlock(number: 2, samples: SpoolFixture.samples(2))]
        try file.commit(commit)
        file.close()
        #expect(try fixture.open().contents.blocks.count == 2)
    }

    @Test func `a folder that is a file is told`() throws {
        try FileStore.replace(fixture.directory, with: [])
        #expect(SpoolFixture.kind { _ = try fixture.open() } != nil)
        unlink(fixture.directory)
        #expect(mkdir(fixture.directory, 0o700) == 0 && mkdir(fixture.path, 0o700) == 0)
        #expect(SpoolFixture.kind { _ = try fixture.open() } == .other)
        SpoolFile.discard(fixture.path)
    }

    // MARK: Processes that die

    /// Commits without end. After each commit it notes in a file how many there were. Commit `n` is always the same.
    static func commitForEver(_ path: String, noting notes: String) throws {
        let notes = Glibc.open(notes, O_WRONLY | O_CREAT, 0o600)
        let file = try SpoolFile(path: path, now: SpoolFixture.noon)
        if file.contents.damagedRows != 0 { exit(3) }
        var number = (file.contents.blocks.last?.number ?? -1) + 1
        while true {
            try file.commit(commit(number))
            number += 1
            _ = withUnsafeBytes(of: number) { pwrite(notes, $0.baseAddress, $0.count, 0) }
        }
    }

    /// Block `number`, a series for each tenth of them, and at most 50 blocks.
    static func commit(_ number: Int64) -> SpoolCommit {
        var commit = SpoolCommit()
        commit.isDurable = number % 2 == 0
        if number % 10 == 0 { commit.series = [SpoolFixture.series(Int(number / 10))] }
        commit.blocks = [SpooledBlock(number: number, samples: SpoolFixture.samples(number))]
        commit.removedBlocks = [number - 50]
        return commit
    }

    @Test func `what was committed is there after kill -9, again and again`() async throws {
        let path = fixture.path
        let notes = fixture.folder.file("notes")
        var round: UInt64 = 0
        var last: Int64 = 0
        // The loop runs ten times, and goes on with longer rounds until the process committed something.
        while round < 10 || last <= 100 {
            var random = SeededGenerator(seed: round)
            let delay_ms = 3 + random.next() % 60 + (round < 10 ? 0 : 100 * (round - 9))
            round += 1
            await #expect(processExitsWith: .signal(SIGKILL)) {
                [path = path as String, notes = notes as String, delay_ms = delay_ms as UInt64] in
                // The process dies at any instruction of the other thread.
                let killer = NamedThread(name: "killer") {
                    var pause = timespec(tv_sec: 0, tv_nsec: Int(delay_ms) * 1_000_000)
                    nanosleep(&pause, nil)
                    kill(getpid(), SIGKILL)
                }
                try SpoolTroubleTests.commitForEver(path, noting: notes)
                killer.join()
            }
            var acknowledged: Int64 = 0
            if let bytes = try? FileStore.read(notes), bytes.count == 8 {
                acknowledged = bytes.withUnsafeBytes { $0.loadUnaligned(as: Int64.self) }
            }
            try #require(round < 100, "nothing is ever committed")
            if !SpoolFile.exists(at: path) { continue }
            let file = try SpoolFile(path: path, now: SpoolFixture.noon)
            #expect(file.contents.damagedRows == 0 && file.notes.isEmpty)
            last = (file.contents.blocks.last?.number ?? -1) + 1
            #expect(last == acknowledged || last == acknowledged + 1)
            #expect(file.contents.blocks.map(\.number) == Array(max(0, last - 50)..<last))
            #expect(file.contents.series == (0..<(last + 9) / 10).map { SpoolFixture.series(Int($0)) })
            for header in file.contents.blocks {
                #expect(try file.block(header.number) == SpoolFixture.samples(header.number))
            }
        }
    }

    @Test func `writes that fail at any size of the files lose nothing`() async throws {
        let path = fixture.path
        await #expect(processExitsWith: .exitCode(0)) { [path = path as String] in
            signal(SIGXFSZ, SIG_IGN)
            func limit(_ bytes: UInt) {
                var limit = rlimit(rlim_cur: bytes, rlim_max: .max)
                setrlimit(__rlimit_resource_t(UInt32(RLIMIT_FSIZE.rawValue)), &limit)
            }
            var file = try SpoolFile(path: path, now: SpoolFixture.noon)
            var (failures, number) = (0, 0 as Int64)
            for size in stride(from: 1 as UInt, to: 200_000, by: 2_477) {
                limit(size)
                do {
                    for _ in 0..<8 {
                        try file.commit(SpoolTroubleTests.commit(number))
                        number += 1
                    }
                } catch {
                    failures += 1
                    guard (error as? SpoolError)?.kind == .full else { exit(3) }
                }
                limit(.max)
                if !file.isOpen {
                    file = try SpoolFile(path: path, now: SpoolFixture.noon)
                    guard file.contents.damagedRows == 0, (file.contents.blocks.last?.number ?? -1) == number - 1 else {
                        exit(4)
                    }
                }
                for block in max(0, number - 50)..<number
                where try file.block(block) != SpoolFixture.samples(block) { exit(5) }
            }
            exit(failures > 40 && number > 50 ? 0 : 6)
        }
    }
}
