internal import Wire

/// The outputs of an egress: files, segments and streams. Each has a list, and older servers use a single field
/// instead.
struct EgressResults {
    enum Kind: Int { case files, segments, streams, oldFile, oldSegments, oldStreams }

    /// The outputs of one field. The outputs of a list are added up, but the location is that of the first one.
    private struct Output {
        var count = 0
        var first_ns: Int64 = 0
        var longest_ns: Int64 = 0
        var firstSize_bytes: Int64 = 0
        var size_bytes: Int64 = 0
        var location = ""
    }

    private var outputs: [6 of Output] = .init(repeating: Output())

    /// Nanoseconds of media: those of the first file, else the larger of segments and streams.
    var media_ns: Int64 {
        if output(.files, .oldFile).first_ns > 0 { return output(.files, .oldFile).first_ns }
        return max(output(.segments, .oldSegments).longest_ns, output(.streams, .oldStreams).longest_ns)
    }

    /// The size of the first file, else of all segments.
    var size_bytes: Int64 {
        let files = output(.files, .oldFile)
        return files.count > 0 ? files.firstSize_bytes : output(.segments, .oldSegments).size_bytes
    }

    /// The location of the first file, else of the first playlist, else of the first stream.
    var location: String {
        for output in [
            output(.files, .oldFile), output(.segments, .oldSegments), output(.streams, .oldStreams),
        ] where !output.location.isEmpty {
            return output.location
        }
        return ""
    }

    /// Returns the list if it has any output, else the deprecated field. A server that sends both puts the same into
    /// both.
    private func output(_ list: Kind, _ old: Kind) -> Output {
        outputs[list.rawValue].count > 0 ? outputs[list.rawValue] : outputs[old.rawValue]
    }

    /// Reads one of the fields.
    mutating func read(_ kind: Kind, _ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodingFault) {
        var output = Output()
        switch kind {
        case .files, .segments, .streams: try Self.readList(&output, &reader, bytes)
        case .oldFile, .oldSegments: try Self.readOutput(&output, &reader, bytes)
        case .oldStreams:
            // `StreamInfoList` is a message whose only field is the list.
            if try reader.beginObject(bytes) {
                let info = JSONName("info")
                while let key = try reader.nextKey(bytes) {
                    if key == info {
                        try Self.readList(&output, &reader, bytes)
                    } else {
                        try reader.skip(bytes)
                    }
                }
            }
        }
        outputs[kind.rawValue] = output
    }

    private static func readList(
        _ output: inout Output, _ reader: inout JSONReader, _ bytes: Span<UInt8>
    ) throws(DecodingFault) {
        guard try reader.beginArray(bytes) else { return }
        while try reader.nextElement(bytes) { try readOutput(&output, &reader, bytes) }
    }

    /// Reads a `FileInfo`, `SegmentsInfo` or `StreamInfo`. The fields that are read have names that do not collide.
    private static func readOutput(
        _ output: inout Output, _ reader: inout JSONReader, _ bytes: Span<UInt8>
    ) throws(DecodingFault) {
        var (duration_ns, size_bytes, location): (Int64, Int64, String) = (0, 0, "")
        guard try reader.beginObject(bytes) else { return }
        while let key = try reader.nextKey(bytes) {
            switch fields[key] {
            case .duration: duration_ns = try reader.readAmount(bytes)
            case .size: size_bytes = try reader.readAmount(bytes)
            case .location: location = try reader.readString(bytes)
            case nil: try reader.skip(bytes)
            }
        }
        if output.count == 0 {
            output.first_ns = duration_ns
            output.firstSize_bytes = size_bytes
            output.location = location
        }
        output.count += 1
        output.longest_ns = max(output.longest_ns, duration_ns)
        let (sum, overflow) = output.size_bytes.addingReportingOverflow(size_bytes)
        output.size_bytes = overflow ? .max : sum
    }

    private enum Field { case duration, size, location }

    private static let fields = NameTable<Field>(fields: [
        ("duration", .duration), ("size", .size), ("location", .location), ("playlistLocation", .location),
        ("url", .location),
    ])
}
