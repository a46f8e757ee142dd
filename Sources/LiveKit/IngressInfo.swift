internal import Wire

extension Ingress: EventObject {
    static let webhookField = "ingressInfo"
    static let storedField = 12

    init(
        _ bytes: Span<UInt8>, at offset: Int?, completing room: inout Room, metadataKey _: String?
    ) throws(DecodingFault) {
        let message = try IngressInfo(bytes, at: offset)
        room.complete(sid: message.roomSID, name: message.roomName)
        self = message.ingress
    }
}

/// The message `IngressInfo` with its `IngressState`, and the room that they name.
struct IngressInfo {
    var ingress = Ingress()
    var roomName = ""
    var roomSID = ""

    /// Reads the message at `offset`; an empty one if `offset` is nil.
    init(_ bytes: Span<UInt8>, at offset: Int?) throws(DecodingFault) {
        guard let offset else { return }
        var reader = JSONReader(at: offset)
        guard try reader.beginObject(bytes) else { return }
        while let key = try reader.nextKey(bytes) {
            switch Self.fields[key] {
            case .ingressId: ingress.id = try reader.readString(bytes)
            case .inputType: ingress.inputType = try Self.inputTypes[reader.readEnumeration(bytes)]
            case .roomName: roomName = try reader.readString(bytes)
            case .state: try readState(&reader, bytes)
            case nil: try reader.skip(bytes)
            }
        }
    }

    private mutating func readState(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodingFault) {
        var (hasError, isFailed) = (false, false)
        guard try reader.beginObject(bytes) else { return }
        while let key = try reader.nextKey(bytes) {
            switch Self.stateFields[key] {
            case .status: isFailed = try Self.failures[reader.readEnumeration(bytes)]
            case .error: hasError = try !reader.readString(bytes).isEmpty
            case .roomId: roomSID = try reader.readString(bytes)
            case .startedAt: ingress.startedAt_ns = try reader.readTime(bytes, unitsPerSecond: 1_000_000_000)
            case .endedAt: ingress.endedAt_ns = try reader.readTime(bytes, unitsPerSecond: 1_000_000_000)
            case .resourceId: ingress.resourceID = try reader.readString(bytes)
            case nil: try reader.skip(bytes)
            }
        }
        ingress.hasFailed = hasError || isFailed
    }

    private enum Field { case ingressId, inputType, roomName, state }
    private enum StateField { case status, error, roomId, startedAt, endedAt, resourceId }

    private static let fields = NameTable<Field>(fields: [
        ("ingressId", .ingressId), ("inputType", .inputType), ("roomName", .roomName), ("state", .state),
    ])

    private static let stateFields = NameTable<StateField>(fields: [
        ("status", .status), ("error", .error), ("roomId", .roomId), ("startedAt", .startedAt), ("endedAt", .endedAt),
        ("resourceId", .resourceId),
    ])

    private static let inputTypes = EnumerationTable<Ingress.InputType>(
        absent: .rtmp, unknown: .unknown, [("RTMP_INPUT", 0, .rtmp), ("WHIP_INPUT", 1, .whip), ("URL_INPUT", 2, .url)])

    /// The statuses that are failures. ENDPOINT_ERROR is one. ENDPOINT_INACTIVE, which is also the absent value, is the
    /// normal end of a reusable ingress.
    private static let failures = EnumerationTable<Bool>(
        absent: false, unknown: false, [("ENDPOINT_ERROR", 3, true)])
}
