internal import Wire

extension Track {
    /// The `TrackInfo` message at `offset`; empty where there is none.
    init(_ bytes: Span<UInt8>, at offset: Int?) throws(DecodingFault) {
        self.init()
        guard let offset else { return }
        var reader = JSONReader(at: offset)
        guard try reader.beginObject(bytes) else { return }
        while let key = try reader.nextKey(bytes) {
            switch Self.fields[key] {
            case .sid: sid = try reader.readString(bytes)
            case .type: type = try Self.types[reader.readEnumeration(bytes)]
            case .source: source = try Self.sources[reader.readEnumeration(bytes)]
            case nil: try reader.skip(bytes)
            }
        }
    }

    private enum Field { case sid, type, source }

    private static let fields = NameTable<Field>([("sid", .sid), ("type", .type), ("source", .source)])

    private static let types = EnumerationTable<Medium>(
        absent: .audio, unknown: .unknown, [("AUDIO", 0, .audio), ("VIDEO", 1, .video)])

    private static let sources = EnumerationTable<Source>(
        absent: .unknown, unknown: .unknown,
        [
            ("CAMERA", 1, .camera), ("MICROPHONE", 2, .microphone), ("SCREEN_SHARE", 3, .screen_share),
            ("SCREEN_SHARE_AUDIO", 4, .screen_share_audio),
        ])
}
