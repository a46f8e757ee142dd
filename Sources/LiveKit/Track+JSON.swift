internal import Wire

extension Track: EventObject {
    static let webhookField = "track"
    static let storedField = 10

    /// Reads the `TrackInfo` message at `offset`; an empty one if `offset` is nil.
    init(
        _ bytes: Span<UInt8>, at offset: Int?, completing _: inout Room, metadataKey _: String?
    ) throws(DecodingFault) {
        self.init()
        guard let offset else { return }
        var reader = JSONReader(at: offset)
        guard try reader.beginObject(bytes) else { return }
        while let key = try reader.nextKey(bytes) {
            switch Self.fields[key] {
            case .sid: sid = try reader.readString(bytes)
            case .type: type = try Self.types[reader.readEnumeration(bytes)]
            case .source: source = try Self.sources[reader.readEnumeration(bytes)]
            case .version: version = try TrackVersion(&reader, bytes)
            case nil: try reader.skip(bytes)
            }
        }
    }

    private enum Field { case sid, type, source, version }

    private static let fields = NameTable<Field>([
        ("sid", .sid), ("type", .type), ("source", .source), ("version", .version),
    ])

    private static let types = EnumerationTable<Medium>(
        absent: .audio, unknown: .unknown, [("AUDIO", 0, .audio), ("VIDEO", 1, .video)])

    private static let sources = EnumerationTable<Source>(
        absent: .unknown, unknown: .unknown,
        [
            ("CAMERA", 1, .camera), ("MICROPHONE", 2, .microphone), ("SCREEN_SHARE", 3, .screen_share),
            ("SCREEN_SHARE_AUDIO", 4, .screen_share_audio),
        ])
}

extension TrackVersion {
    /// Reads the `TimedVersion` message that comes next; nil if it has no time.
    fileprivate init?(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodingFault) {
        guard try reader.beginObject(bytes) else { return nil }
        var (micro, ticks) = (0 as Int64, 0 as Int64)
        while let key = try reader.nextKey(bytes) {
            switch Self.fields[key] {
            case .unixMicro: micro = try reader.readTime(bytes, unitsPerSecond: 1_000_000)
            case .ticks: ticks = try reader.readAmount(bytes)
            case nil: try reader.skip(bytes)
            }
        }
        if micro == 0 { return nil }
        self.init(unixMicro: micro, ticks: Int32(clamping: ticks))
    }

    private enum Field { case unixMicro, ticks }

    private static let fields = NameTable<Field>(fields: [("unixMicro", .unixMicro), ("ticks", .ticks)])
}
