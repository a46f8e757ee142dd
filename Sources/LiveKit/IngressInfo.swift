internal import Wire

/// `IngressInfo` with its `IngressState`, and the room they name.
struct IngressInfo {
    var ingress = Ingress()
    var roomName = ""
    var roomSID = ""

    /// The message at `offset`; empty where there is none.
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

    /// Whether a status is a failure: ENDPOINT_ERROR is, ENDPOINT_INACTIVE (absent) is how a reusable ingress ends
    /// well.
    private static let failures = EnumerationTable<Bool>(
        absent: false, unknown: false, [("ENDPOINT_ERROR", 3, true)])
}
