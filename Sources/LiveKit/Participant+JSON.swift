internal import Wire

extension Participant: EventObject {
    static let webhookField = "participant"
    static let storedField = 9

    /// Reads the `ParticipantInfo` message at `offset`; an empty one if `offset` is nil.
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
            case .identity: identity = try reader.readString(bytes)
            case .kind: kind = try Self.kinds[reader.readEnumeration(bytes)]
            case .joinedAt: joinedAt_s = try reader.readTime(bytes, unitsPerSecond: 1)
            case .joinedAtMs: joinedAt_ms = try reader.readTime(bytes, unitsPerSecond: 1_000)
            case .disconnectReason: reason = try DisconnectReason.table[reader.readEnumeration(bytes)]
            case .attributes:
                readAttributes(reader, bytes)
                try reader.skip(bytes)
            case nil: try reader.skip(bytes)
            }
        }
    }

    /// Reads the attributes that LiveKit itself sets. Applications set any others, so that nothing in them is a fault.
    /// https://docs.livekit.io/reference/telephony/sip-participant/
    private mutating func readAttributes(_ reader: JSONReader, _ bytes: Span<UInt8>) {
        do throws(DecodingFault) {
            var (reader, hasCall, hasRule) = (reader, false, false)
            guard try reader.beginObject(bytes) else { return }
            while let key = try reader.nextKey(bytes) {
                switch Self.attributes[key] {
                case .agentName:
                    agentName = try reader.readString(bytes).truncated(toBytes: AgentJob.Limits.text_bytes_max)
                case .callID: hasCall = try !reader.readString(bytes).isEmpty
                case .ruleID: hasRule = try !reader.readString(bytes).isEmpty
                case nil: try reader.skip(bytes)
                }
            }
            direction = hasRule ? .inbound : hasCall ? .outbound : .unknown
        } catch {
            direction = .unknown
        }
    }

    private enum Attribute { case agentName, callID, ruleID }

    private static let attributes = NameTable<Attribute>([
        ("lk.agent.name", .agentName), ("sip.callID", .callID), ("sip.ruleID", .ruleID),
    ])

    private enum Field { case sid, identity, kind, joinedAt, joinedAtMs, disconnectReason, attributes }

    private static let fields = NameTable<Field>(fields: [
        ("sid", .sid), ("identity", .identity), ("kind", .kind), ("joinedAt", .joinedAt), ("joinedAtMs", .joinedAtMs),
        ("disconnectReason", .disconnectReason), ("attributes", .attributes),
    ])

    private static let kinds = EnumerationTable<Kind>(
        absent: .standard, unknown: .other,
        [
            ("STANDARD", 0, .standard), ("INGRESS", 1, .ingress), ("EGRESS", 2, .egress), ("SIP", 3, .sip),
            ("AGENT", 4, .agent), ("CONNECTOR", 7, .connector), ("BRIDGE", 8, .bridge),
        ])
}
