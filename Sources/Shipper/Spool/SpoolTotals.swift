import Wire

/// The number of rows and samples that a spool should hold. So it is known how many a damaged file has lost.
struct SpoolTotals: Equatable {
    var series = 0
    var blocks = 0
    var blockSamples = 0
    var batches = 0
    var batchSamples = 0

    var rows: Int { series + blocks + batches }
    var samples: Int { blockSamples + batchSamples }

    init() {}

    /// Nil if the bytes are no such message, or a number is impossible.
    init?(_ bytes: [UInt8]) {
        var reader = MessageReader(bytes)
        do throws(MessageFault) {
            while let field = try reader.next() {
                switch field {
                case 1: series = try Self.number(&reader)
                case 2: blocks = try Self.number(&reader)
                case 3: blockSamples = try Self.number(&reader)
                case 4: batches = try Self.number(&reader)
                case 5: batchSamples = try Self.number(&reader)
                default: try reader.skip()
                }
            }
        } catch {
            return nil
        }
    }

    /// `Totals` of `proto/spool.proto`.
    var encoded: [UInt8] {
        var writer = MessageWriter()
        writer.field(1, UInt64(series))
        writer.field(2, UInt64(blocks))
        writer.field(3, UInt64(blockSamples))
        writer.field(4, UInt64(batches))
        writer.field(5, UInt64(batchSamples))
        return writer.bytes
    }

    /// Notes that `sign` more rows with samples are there. A damaged total never falls below zero.
    mutating func add(_ table: SampleTable, _ sign: Int, samples: Int) {
        switch table {
        case .blocks:
            blocks = max(0, blocks + sign)
            blockSamples = max(0, blockSamples + sign * samples)
        case .batches:
            batches = max(0, batches + sign)
            batchSamples = max(0, batchSamples + sign * samples)
        }
    }

    private static func number(_ reader: inout MessageReader) throws(MessageFault) -> Int {
        let value = try reader.uint64()
        // Sums of such numbers fit.
        guard value < 1 << 56 else { throw MessageFault("a total is impossible") }
        return Int(value)
    }
}
