internal import Wire

extension Participant: EventObject {
    static let webhookField = "participant"
    static let storedField = 9

    /// Reads the `ParticipantInfo` message at `offset`; an empty one if `offset` is nil.
    init(_ bytes: Span<UInt8>, at offset: Int?, completing _: inout Room) throws(DecodingFault) {
        self.init()
        guard let offset else { return }
        var reader = JSONReader(at: offset)
        guard try reader.beginObject(bytes) else { return }
        while let key = try reader.nextKey(bytes) {
            switch Self.fields[key] {
            case .sid: sid = try reader.readString(bytes)
            case .identity: identity = try reader.readString(bytes)
            case .kind: kind = try Self.kinds[reader.readEnumeration(bytes)]
            case .joinedAt: joinedAt_s = try reader.readTime(bytes, unitsPerSecond: 1)
            case .joinedAtMs: joinedAt_ms = try reader.readTime(bytes, unitsPerSecond: 1_000)
            case nil: try reader.skip(bytes)
            }
        }
    }

    private enum Field { case sid, identity, kind, joinedAt, joinedAtMs }

    private static let fields = NameTable<Field>(fields: [
        ("sid", .sid), ("identity", .identity), ("kind", .kind), ("joinedAt", .joinedAt), ("joinedAtMs", .joinedAtMs),
    ])

    private static let kinds = EnumerationTable<Kind>(
        absent: .standard, unknown: .other,
        [
            ("STANDARD", 0, .standard), ("INGRESS", 1, .ingress), ("EGRESS", 2, .egress), ("SIP", 3, .sip),
            ("AGENT", 4, .agent), ("CONNECTOR", 7, .connector), ("BRIDGE", 8, .bridge),
        ])
}
