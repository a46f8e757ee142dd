internal import Wire

/// The message `WebhookEvent`: its own fields, and the offsets of its objects.
///
/// Making one checks the whole body against the grammar. The objects are read later, when the type says which ones are
/// needed: JSON does not promise that `event` comes first.
struct Envelope {
    var type = EventType.other
    var id = ""
    /// In Unix seconds.
    var createdAt: Int64 = 0
    /// Offsets of the objects; nil if absent.
    var room: Int?
    var objects = EventObjectTable<Int>()
    var job: Int?

    init(_ bytes: Span<UInt8>) throws(DecodingFault) {
        var reader = JSONReader()
        guard try reader.beginObject(bytes) else { throw DecodingFault(.wrong_type, at: 0) }
        while let key = try reader.nextKey(bytes) {
            switch Self.fields[key] {
            case .event: type = try Self.types[reader.readEnumeration(bytes)]
            case .id: id = try reader.readText(bytes) ?? ""
            case .createdAt: createdAt = try reader.readTime(bytes, unitsPerSecond: 1)
            case .room: room = try Self.skip(&reader, bytes)
            case .object(let field): objects[field: field] = try Self.skip(&reader, bytes)
            case .job: job = try Self.skip(&reader, bytes)
            case nil: try reader.skip(bytes)
            }
        }
        try reader.finish(bytes)
    }

    private static func skip(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodingFault) -> Int {
        let start = reader.offset
        try reader.skip(bytes)
        return start
    }

    private enum Field {
        case event, id, createdAt, room, job
        /// By the number of its stored field.
        case object(Int)
    }

    private static let fields = NameTable<Field>(
        fields: [("event", .event), ("id", .id), ("createdAt", .createdAt), ("room", .room), ("job", .job)]
            + Event.Body.objects.map { ($0.webhookField, .object($0.storedField)) })

    private static let types = EnumerationTable<EventType>(
        absent: .other, unknown: .other,
        EventType.allCases.filter { $0 != .other }.map { ($0.rawValue, nil, $0) })
}
