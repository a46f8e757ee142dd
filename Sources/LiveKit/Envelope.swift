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
    var roomEndReason: RoomEndReason?

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
            case .roomEndReason: roomEndReason = try Self.readEndReason(&reader, bytes)
            case nil: try reader.skip(bytes)
            }
        }
        try reader.finish(bytes)
    }

    /// Reads a reason. An event that has none of this type must not fail for a field that it does not need.
    private static func readEndReason(
        _ reader: inout JSONReader, _ bytes: Span<UInt8>
    ) throws(DecodingFault) -> RoomEndReason? {
        var value = reader
        try reader.skip(bytes)
        guard let reason = try? value.readEnumeration(bytes) else { return nil }
        return RoomEndReason.table[reason]
    }

    private static func skip(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodingFault) -> Int {
        let start = reader.offset
        try reader.skip(bytes)
        return start
    }

    private enum Field {
        case event, id, createdAt, room, roomEndReason
        /// By the number of its stored field.
        case object(Int)
    }

    private static let fields = NameTable<Field>(
        fields: [
            ("event", .event), ("id", .id), ("createdAt", .createdAt), ("room", .room),
            ("roomEndReason", .roomEndReason),
        ]
            + Event.Body.objects.map { ($0.webhookField, .object($0.storedField)) })

    private static let types = EnumerationTable<EventType>(
        absent: .other, unknown: .other,
        EventType.allCases.filter { $0 != .other }.map { ($0.rawValue, nil, $0) })
}
