import RemoteWrite
import SQLite
import Wire

/// A row with samples, as it was read.
struct SampleRow {
    let head: SampleRowHead
    /// The columns that tell of the samples are right.
    let isHeadIntact: Bool
    /// The samples are right, too.
    let isIntact: Bool
    let body: [UInt8]

    var samples: PackedBlock {
        PackedBlock(
            base: Timestamp(milliseconds: head.base), count: Int(head.count),
            oldest: Timestamp(milliseconds: head.oldest), newest: Timestamp(milliseconds: head.newest), body: body)
    }
}

/// A row with samples without the samples.
struct SampleRowHead {
    let number: Int64
    let shard: Int64
    let base: Int64
    let count: Int64
    let oldest: Int64
    let newest: Int64
    /// The checksum of the samples, and their bytes.
    let crc: Int64
    let bytes: Int64

    init(number: Int64, shard: Int, _ samples: PackedBlock) {
        self.number = number
        self.shard = Int64(shard)
        base = samples.base.milliseconds
        count = Int64(samples.count)
        oldest = samples.oldest.milliseconds
        newest = samples.newest.milliseconds
        crc = Int64(Checksum.crc32c(samples.body.span))
        bytes = Int64(samples.body.count)
    }

    /// Reads the columns 0 to 5, 7 and 8 of a row.
    init(_ row: Statement) {
        number = row.int64(at: 0)
        shard = row.int64(at: 1)
        base = row.int64(at: 2)
        count = row.int64(at: 3)
        oldest = row.int64(at: 4)
        newest = row.int64(at: 5)
        crc = row.int64(at: 7)
        bytes = row.int64(at: 8)
    }

    /// The numbers are some that a writer can have. A sample takes a byte at least, before compression.
    var isPlausible: Bool {
        Self.isPlausible(count: count) && oldest <= newest && shard >= 0 && shard <= Int64(Int32.max) && bytes >= 0
    }

    static func isPlausible(count: Int64) -> Bool { count >= 0 && count <= Int64(PackedBlock.Limits.raw_bytes) }

    func checksum(_ kind: UInt8) -> Int64 {
        var fields: [UInt8] = []
        fields.reserveCapacity(48)
        for value in [shard, base, oldest, newest, crc, bytes] {
            for place in 0..<8 { fields.append(UInt8(truncatingIfNeeded: value >> Int64(8 * place))) }
        }
        return RowChecksum.of(kind: kind, number: number, count: count, fields.span)
    }

    /// The part of it that a caller sees.
    var header: SpoolContents.Header {
        SpoolContents.Header(
            number: number, shard: Int(shard), count: Int(count), oldest: Timestamp(milliseconds: oldest),
            newest: Timestamp(milliseconds: newest), bytes: Int(bytes))
    }
}
