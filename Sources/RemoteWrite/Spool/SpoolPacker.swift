import Wire

/// Packs samples for the spool. It keeps its memory.
struct SpoolPacker: Sendable {
    private var block = SampleBlock()
    private var raw: [UInt8] = []
    private var compressed: [UInt8] = []

    /// The samples with rows of the spool, packed.
    mutating func pack(_ samples: ArraySlice<QueuedSample>, base: Timestamp, _ table: inout SeriesTable) -> PackedBlock
    {
        table.spooled(samples, base: base, into: &block)
        return PackedBlock(block, raw: &raw, compressed: &compressed)
    }
}
