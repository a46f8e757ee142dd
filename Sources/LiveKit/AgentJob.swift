import Wire

/// The work of an agent in a room: the message `Job` with its `JobState`.
/// https://github.com/livekit/protocol/blob/main/protobufs/livekit_agent.proto
package struct AgentJob: Sendable, Equatable {
    /// `JobStatus`.
    package enum Status: Int32, Sendable, CaseIterable {
        case pending = 0
        case running = 1
        case success = 2
        case failed = 3
        case cancelled = 4
        case other = -1
    }

    package enum Limits {
        /// The longest name of an agent and of a reason, in bytes. Both become label values.
        package static let text_bytes_max = 128
    }

    package var id: String
    /// Empty for an agent that was registered without a name.
    package var agentName: String
    package var status: Status
    /// `state.reason` in lower case without its prefix `JSR_`; empty if absent.
    package var reason: String
    /// In Unix nanoseconds; 0 if absent.
    package var startedAt_ns: Int64
    /// In Unix nanoseconds; 0 if absent.
    package var endedAt_ns: Int64
    /// The time of the last change of the state, in Unix nanoseconds; 0 if absent.
    package var updatedAt_ns: Int64

    package init(
        id: String = "", agentName: String = "", status: Status = .pending, reason: String = "",
        startedAt_ns: Int64 = 0, endedAt_ns: Int64 = 0, updatedAt_ns: Int64 = 0
    ) {
        self.id = id
        self.agentName = agentName
        self.status = status
        self.reason = reason
        self.startedAt_ns = startedAt_ns
        self.endedAt_ns = endedAt_ns
        self.updatedAt_ns = updatedAt_ns
    }
}

extension AgentJob: EventObject {
    static let webhookField = "job"
    static let storedField = 13

    /// Reads the `Job` at `offset`. Its `room` is the room of the event, which has no other.
    init(
        _ bytes: Span<UInt8>, at offset: Int?, completing room: inout Room, metadataKey: String?
    ) throws(DecodingFault) {
        self.init()
        guard let offset else { return }
        var reader = JSONReader(at: offset)
        guard try reader.beginObject(bytes) else { return }
        while let key = try reader.nextKey(bytes) {
            switch Self.fields[key] {
            case .id: id = try reader.readString(bytes)
            case .agentName: agentName = try reader.readString(bytes).truncated(toBytes: Limits.text_bytes_max)
            case .state: try readState(&reader, bytes)
            case .room:
                let own = try Room(bytes, at: reader.offset, metadataKey: metadataKey)
                if room.sid.isEmpty && room.name.isEmpty { room = own }
                try reader.skip(bytes)
            case nil: try reader.skip(bytes)
            }
        }
    }

    private mutating func readState(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodingFault) {
        guard try reader.beginObject(bytes) else { return }
        while let key = try reader.nextKey(bytes) {
            switch Self.stateFields[key] {
            case .status: status = try Self.statuses[reader.readEnumeration(bytes)]
            case .reason: reason = try Self.readReason(&reader, bytes)
            case .startedAt: startedAt_ns = try reader.readTime(bytes, unitsPerSecond: 1_000_000_000)
            case .endedAt: endedAt_ns = try reader.readTime(bytes, unitsPerSecond: 1_000_000_000)
            case .updatedAt: updatedAt_ns = try reader.readTime(bytes, unitsPerSecond: 1_000_000_000)
            case nil: try reader.skip(bytes)
            }
        }
    }

    /// Reads a reason, whose values are not known beforehand. A number has no name: it counts as none, as does a text
    /// that is no name of an enum value.
    private static func readReason(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodingFault) -> String {
        guard try reader.peek(bytes) == UInt8(ascii: "\"") else {
            try reader.skip(bytes)
            return ""
        }
        let name = try reader.readString(bytes)
        let isName = name.utf8.allSatisfy { byte in
            (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) || byte == UInt8(ascii: "_")
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        guard isName, name.utf8.count <= Limits.text_bytes_max else { return "" }
        let reason = name.hasPrefix("JSR_") ? String(name.dropFirst(4)).lowercased() : name.lowercased()
        return reason == "unknown" ? "" : reason
    }

    private enum Field { case id, agentName, state, room }

    private static let fields = NameTable<Field>(fields: [
        ("id", .id), ("agentName", .agentName), ("state", .state), ("room", .room),
    ])

    private enum StateField { case status, reason, startedAt, endedAt, updatedAt }

    private static let stateFields = NameTable<StateField>(fields: [
        ("status", .status), ("reason", .reason), ("startedAt", .startedAt), ("endedAt", .endedAt),
        ("updatedAt", .updatedAt),
    ])

    private static let statuses = EnumerationTable<Status>(
        absent: .pending, unknown: .other,
        [
            ("JS_PENDING", 0, .pending), ("JS_RUNNING", 1, .running), ("JS_SUCCESS", 2, .success),
            ("JS_FAILED", 3, .failed), ("JS_CANCELLED", 4, .cancelled), ("JS_CANCELED", nil, .cancelled),
        ])
}

extension AgentJob {
    func encode(into writer: inout MessageWriter) {
        writer.field(1, id)
        writer.field(2, agentName)
        writer.field(3, status)
        writer.field(4, reason)
        writer.field(5, startedAt_ns)
        writer.field(6, endedAt_ns)
        writer.field(7, updatedAt_ns)
    }

    init(from message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        self.init()
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.string()
            case 2: agentName = try reader.string()
            case 3: status = try reader.enumeration()
            case 4: reason = try reader.string()
            case 5: startedAt_ns = try reader.int64()
            case 6: endedAt_ns = try reader.int64()
            case 7: updatedAt_ns = try reader.int64()
            default: try reader.skip()
            }
        }
    }
}

extension AgentJob.Status: StoredEnumeration {
    package static let inStoredOrder: [AgentJob.Status] = [.pending, .running, .success, .failed, .cancelled, .other]
}
