package import Wire

/// Ids of one kind that were remembered one after the other. Each snapshot adds segments to those saved before.
package struct IDSegment: Sendable, Equatable {
    /// The kind of ids: 0 for events, then ended rooms, participants, tracks, egress and ingress.
    package let kind: Int
    /// The latest time at which one of the ids was remembered.
    package let latest: Timestamp
    /// The content, as `Recorder.init(restoring:)` takes it.
    package let bytes: [UInt8]

    /// Makes a segment of its saved parts.
    package init(kind: Int, latest: Timestamp, bytes: [UInt8]) {
        self.kind = kind
        self.latest = latest
        self.bytes = bytes
    }

    init(kind: Int, _ run: IDRun) {
        var writer = MessageWriter()
        writer.reserve(run.bytes.count + run.ends.count + run.versions.count + 48)
        writer.field(1, UInt64(kind))
        writer.field(2, run.first)
        writer.field(3, bytes: run.bytes)
        writer.field(4, bytes: run.ends)
        writer.field(5, bytes: run.versions)
        self.init(
            kind: kind, latest: Timestamp(milliseconds: run.latest_ms), bytes: writer.bytes)
    }

    /// Returns the ids in the segment. Throws if the bytes are not those of a segment.
    func run() throws(MessageFault) -> (kind: Int, ids: IDRun) {
        var reader = MessageReader(bytes)
        var kind: UInt64 = 0
        var first: UInt64 = 0
        var entries: [UInt8] = []
        var ends: [UInt8] = []
        var versions: [UInt8] = []
        while let field = try reader.next() {
            switch field {
            case 1: kind = try reader.uint64()
            case 2: first = try reader.uint64()
            case 3: entries = try reader.byteArray()
            case 4: ends = try reader.byteArray()
            case 5: versions = try reader.byteArray()
            default: try reader.skip()
            }
        }
        guard kind < UInt64(Recorder.remembered.count), entries.count % IDRun.entry_bytes == 0 else {
            throw MessageFault("a segment holds no ids")
        }
        let count = entries.count / IDRun.entry_bytes
        guard ends.isEmpty || ends.count == count * IDRun.end_bytes,
            versions.isEmpty || versions.count == count * IDRun.version_bytes
        else { throw MessageFault("a segment holds other ends than ids") }
        return (Int(kind), IDRun(first: first, bytes: entries, ends: ends, versions: versions))
    }
}
