internal import Wire

extension Egress: EventObject {
    static let webhookField = "egressInfo"
    static let storedField = 11

    init(
        _ bytes: Span<UInt8>, at offset: Int?, completing room: inout Room, metadataKey _: String?
    ) throws(DecodingFault) {
        let message = try EgressInfo(bytes, at: offset)
        room.complete(sid: message.roomSID, name: message.roomName)
        self = message.egress
    }
}

/// The message `EgressInfo`, and the room that it names.
struct EgressInfo {
    var egress = Egress()
    var roomName = ""
    var roomSID = ""

    /// Reads the message at `offset`; an empty one if `offset` is nil.
    init(_ bytes: Span<UInt8>, at offset: Int?) throws(DecodingFault) {
        guard let offset else { return }
        var results = EgressResults()
        var reader = JSONReader(at: offset)
        guard try reader.beginObject(bytes) else { return }
        while let key = try reader.nextKey(bytes) {
            switch Self.fields[key] {
            case .egressId: egress.id = try reader.readString(bytes)
            case .roomId: roomSID = try reader.readString(bytes)
            case .roomName: roomName = try reader.readString(bytes)
            case .status: egress.status = try Self.statuses[reader.readEnumeration(bytes)]
            case .startedAt: egress.startedAt_ns = try reader.readTime(bytes, unitsPerSecond: 1_000_000_000)
            case .endedAt: egress.endedAt_ns = try reader.readTime(bytes, unitsPerSecond: 1_000_000_000)
            case .retryCount: egress.retryCount = try reader.readAmount(bytes)
            case .error:
                egress.error = try reader.readString(bytes).truncated(toBytes: EventDecoder.Limits.error_bytes_max)
            case .errorCode: egress.errorCode = try reader.readAmount(bytes)
            case .request(let type): try readRequest(type, &reader, bytes)
            case .unifiedRequest: try readUnifiedRequest(&reader, bytes)
            case .results(let kind): try results.read(kind, &reader, bytes)
            case nil: try reader.skip(bytes)
            }
        }
        egress.media_ns = results.media_ns
        egress.size_bytes = results.size_bytes
        egress.location = results.location
    }

    /// Reads a member of the `request` oneof. Its presence alone gives the request type.
    private mutating func readRequest(
        _ type: Egress.RequestType, _ reader: inout JSONReader, _ bytes: Span<UInt8>
    ) throws(DecodingFault) {
        if try reader.readNull(bytes) { return }
        egress.requestType = type
        try reader.skip(bytes)
    }

    /// Reads `egress`, a `StartEgressRequest`. Its `source` gives the request type.
    private mutating func readUnifiedRequest(
        _ reader: inout JSONReader, _ bytes: Span<UInt8>
    ) throws(DecodingFault) {
        guard try reader.beginObject(bytes) else { return }
        egress.requestType = .unknown
        while let key = try reader.nextKey(bytes) {
            if let type = Self.sources[key] {
                try readRequest(type, &reader, bytes)
            } else {
                try reader.skip(bytes)
            }
        }
    }

    private enum Field {
        case egressId, roomId, roomName, status, startedAt, endedAt, retryCount, error, errorCode
        case request(Egress.RequestType)
        case unifiedRequest
        case results(EgressResults.Kind)
    }

    private static let fields = NameTable<Field>(fields: [
        ("egressId", .egressId), ("roomId", .roomId), ("roomName", .roomName), ("status", .status),
        ("startedAt", .startedAt), ("endedAt", .endedAt), ("retryCount", .retryCount), ("error", .error),
        ("errorCode", .errorCode),
        ("roomComposite", .request(.room_composite)), ("web", .request(.web)), ("participant", .request(.participant)),
        ("trackComposite", .request(.track_composite)), ("track", .request(.track)), ("replay", .request(.replay)),
        ("egress", .unifiedRequest),
        ("fileResults", .results(.files)), ("segmentResults", .results(.segments)),
        ("streamResults", .results(.streams)), ("file", .results(.oldFile)), ("segments", .results(.oldSegments)),
        ("stream", .results(.oldStreams)),
    ])

    private static let sources = NameTable<Egress.RequestType>([
        ("template", .template), ("web", .web), ("media", .media),
    ])

    private static let statuses = EnumerationTable<Egress.Status>(
        absent: .starting, unknown: .other,
        [
            ("EGRESS_STARTING", 0, .starting), ("EGRESS_ACTIVE", 1, .active), ("EGRESS_ENDING", 2, .ending),
            ("EGRESS_COMPLETE", 3, .complete), ("EGRESS_FAILED", 4, .failed), ("EGRESS_ABORTED", 5, .aborted),
            ("EGRESS_LIMIT_REACHED", 6, .limitReached),
        ])
}
