import Glibc
import Metrics
import Platform
import RemoteWrite
import SQLite
import Shipper
import Wire

/// Bytes that pretend to be the spool of a destination, or a part of it: it opens in any case, gives only what a writer
/// can have written, and goes on.
struct SpoolFuzzer: Fuzzer {
    static let name = "spool"

    private static let now = Timestamp(seconds: 1_790_000_000)
    /// A folder in memory: what a loss of power does is no subject here.
    private static let directory: String = {
        let path = "/dev/shm/lkpush-fuzz-\(getpid())"
        mkdir(path, 0o700)
        return path
    }()

    private var path: String { SpoolFile.path(directory: Self.directory, destination: "f") }

    func run(_ bytes: [UInt8]) {
        let rest = Array(bytes.dropFirst())
        switch bytes.first ?? 0 {
        case 0x53: series(rest)
        case 0x50: packed(rest)
        case 0x52: rows(rest)
        case 0x45: edits(rest)
        default: whole(rest)
        }
    }

    // MARK: Parts

    private func series(_ bytes: [UInt8]) {
        if let requests = try? SpooledRequests(decoding: bytes) {
            var writer = MessageWriter()
            requests.encode(into: &writer)
            require((try? SpooledRequests(decoding: writer.bytes)) == requests, "requests are read as written")
        }
        guard let series = try? SpooledSeries(decoding: bytes) else { return }
        check(series)
        var writer = MessageWriter()
        series.encode(into: &writer)
        guard let same = try? SpooledSeries(decoding: writer.bytes) else { refute("what was written is read") }
        require(same == series, "a series is read as it was written")
    }

    private func check(_ series: SpooledSeries) {
        let fault = FamilyDescriptor.fault(
            name: series.family, help: series.help, kind: series.kind, labelNames: series.labelNames)
        require(fault == nil, fault ?? "")
        require(series.labelNames.count == series.labelValues.count, "every label has a value")
        require(series.commonNames.count == series.commonValues.count, "every common label has a value")
        require(Int(series.firstRow) + series.rowCount <= Int(UInt32.max), "rows are numbers of 32 bits")
    }

    private func packed(_ bytes: [UInt8]) {
        var choices = Bytes(bytes)
        let count = Int(choices.integer() & 0xFFFF)
        unpack(
            PackedBlock(
                base: Self.now, count: count, oldest: Self.now, newest: Self.now, body: choices.remainder()))
    }

    private func unpack(_ packed: PackedBlock) {
        var block = SampleBlock()
        guard packed.unpack(into: &block) else {
            return require(block.samples.isEmpty, "a damaged block gives no samples")
        }
        require(block.samples.count == packed.count, "a block has as many samples as it says")
        var (raw, compressed): ([UInt8], [UInt8]) = ([], [])
        var again = SampleBlock()
        let repacked = PackedBlock(block, raw: &raw, compressed: &compressed)
        require(repacked.unpack(into: &again) && again == block, "a block is unpacked as it was packed")
    }

    // MARK: Files

    private func whole(_ bytes: [UInt8]) {
        SpoolFile.discard(path)
        write(bytes, to: path)
        use()
    }

    /// Changes of a good file: places of three bytes, each with a byte to put there. The first two bytes cut the end off.
    private func edits(_ bytes: [UInt8]) {
        var choices = Bytes(bytes)
        var file = Self.good
        let cut = Int(choices.byte()) << 8 | Int(choices.byte())
        file.removeLast(cut < file.count ? cut : 0)
        while !choices.isEmpty, !file.isEmpty {
            let place = Int(choices.byte()) << 16 | Int(choices.byte()) << 8 | Int(choices.byte())
            file[place % file.count] = choices.byte()
        }
        SpoolFile.discard(path)
        write(file, to: path)
        use()
    }

    /// Rows of any content with the right checksum.
    private func rows(_ bytes: [UInt8]) {
        SpoolFile.discard(path)
        write(Self.good, to: path)
        var choices = Bytes(bytes)
        do {
            var settings = ConnectionSettings()
            settings.usesWriteAheadLog = false
            let connection = try Connection(path: path, settings)
            while !choices.isEmpty {
                let number = choices.integer()
                switch choices.below(3) {
                case 0:
                    let body = Array(choices.text().utf8)
                    try connection.run(
                        "INSERT OR REPLACE INTO series VALUES (?1, ?2, ?3)", .integer(number),
                        .integer(RowChecksum.of(kind: 2, number: number, body.span)), .blob(body))
                case 1:
                    let body = Array(choices.text().utf8)
                    let key = choices.one(of: ["requests", "totals", "format", "other"])
                    let text = Array("\(key)=".utf8) + body
                    try connection.run(
                        "INSERT OR REPLACE INTO meta VALUES (?1, ?2, ?3)", .text(key),
                        .integer(RowChecksum.of(kind: 1, text.span)), .blob(body))
                default: try insert(number, &choices, connection)
                }
            }
        } catch {
            refute("\(error)")
        }
        use()
    }

    private func insert(_ number: Int64, _ choices: inout Bytes, _ connection: Connection) throws(SQLiteError) {
        let (shard, base, count) = (choices.integer(), choices.integer(), choices.integer())
        let (oldest, newest) = (choices.integer(), choices.integer())
        let isBlock = choices.bool()
        let body = Array(choices.text().utf8)
        let crc = Int64(Checksum.crc32c(body.span))
        var fields: [UInt8] = []
        for value in [shard, base, oldest, newest, crc, Int64(body.count)] {
            for place in 0..<8 { fields.append(UInt8(truncatingIfNeeded: value >> Int64(8 * place))) }
        }
        let head = RowChecksum.of(kind: isBlock ? 3 : 4, number: number, count: count, fields.span)
        try connection.run(
            "INSERT OR REPLACE INTO \(isBlock ? "blocks" : "batches") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            .integer(number), .integer(shard), .integer(base), .integer(count), .integer(oldest), .integer(newest),
            .integer(head), .integer(crc), .blob(body))
    }

    /// Opens what is there, reads all of it, adds a block, and opens it again.
    private func use() {
        defer { SpoolFile.discard(path) }
        var file = open()
        read(&file)
        var commit = SpoolCommit()
        commit.batches = [SpooledBatch(number: 77, shard: 1, samples: Self.block)]
        do {
            try file.commit(commit)
        } catch {
            require(error.kind == .damaged && !file.isOpen, "\(error)")
            file = open()
            do { try file.commit(commit) } catch { refute("a salvaged file takes a commit: \(error)") }
        }
        file.close()
        file = open()
        require(file.contents.damagedRows == 0, "damage is told once")
        require((try? file.batch(77)) == Self.block, "what was committed is there")
        file.close()
    }

    private func open() -> SpoolFile {
        do {
            return try SpoolFile(path: path, now: Self.now)
        } catch {
            refute("a file opens in any case: \(error)")
        }
    }

    private func read(_ file: inout SpoolFile) {
        for _ in 0..<3 {
            do throws(SpoolError) {
                return try readAll(file)
            } catch {
                require(error.kind == .damaged && !file.isOpen, "\(error)")
                file = open()
            }
        }
        refute("a salvaged file can be read")
    }

    private func readAll(_ file: SpoolFile) throws(SpoolError) {
        let contents = file.contents
        var end = 0
        for series in contents.series {
            check(series)
            require(Int(series.firstRow) >= end, "no two series have a row in common")
            end = Int(series.firstRow) + series.rowCount
        }
        for (headers, isBlock) in [(contents.blocks, true), (contents.batches, false)] {
            require(zip(headers, headers.dropFirst()).allSatisfy { $0.number < $1.number }, "numbers rise")
            for header in headers {
                let packed = isBlock ? try file.block(header.number) : try file.batch(header.number)
                guard let packed else { continue }
                require(
                    packed.count == header.count && packed.body.count == header.bytes
                        && packed.oldest == header.oldest && packed.newest == header.newest, "a header is right")
                unpack(packed)
            }
        }
    }

    private func write(_ bytes: [UInt8], to path: String) {
        do throws(SystemError) { try FileStore.replace(path, with: bytes) } catch { refute("\(error)") }
    }

    // MARK: What a writer writes

    private static let block: PackedBlock = {
        var block = SampleBlock()
        block.fill(rows: 3...9, 1.5, at: now)
        var (raw, compressed): ([UInt8], [UInt8]) = ([], [])
        return PackedBlock(block, raw: &raw, compressed: &compressed)
    }()

    /// A file with a few rows of each kind.
    private static let good: [UInt8] = {
        let path = SpoolFile.path(directory: directory, destination: "good")
        do {
            let file = try SpoolFile(path: path, now: now)
            var commit = SpoolCommit()
            for (index, kind) in [FamilyDescriptor.Kind.gauge, .counter, .histogram(bounds: [1, 2])].enumerated() {
                commit.series.append(
                    SpooledSeries(
                        firstRow: UInt32(10 * index), family: kind == .counter ? "a_total" : "a", help: "A.",
                        kind: kind,
                        labelNames: ["b"], labelValues: ["c"], commonNames: ["job"], commonValues: ["d"],
                        start: index == 0 ? nil : now))
            }
            for number in 0..<3 as Range<Int64> {
                commit.blocks.append(SpooledBlock(number: number, samples: block))
                commit.batches.append(SpooledBatch(number: number, shard: Int(number), samples: block))
            }
            // These samples have pages of their own.
            let noise = (0..<9_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 7) }
            commit.blocks.append(
                SpooledBlock(
                    number: 9, samples: PackedBlock(base: now, count: 4, oldest: now, newest: now, body: noise)))
            commit.requests = SpooledRequests(shards: 2, message: .v2, endpoint: "e")
            try file.commit(commit)
            file.close()
            defer { SpoolFile.discard(path) }
            return try FileStore.read(path)
        } catch {
            refute("\(error)")
        }
    }()

    /// The good file, so that it can be kept as a beginning.
    func show(_ bytes: [UInt8]) -> [UInt8]? { [0x46] + Self.good }
}
