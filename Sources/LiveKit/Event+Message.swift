package import Wire

// The stored form of an event; `proto/journal.proto` describes it.

extension Event {
    /// Appends the fields of the event. Only the growth of the buffer allocates.
    package func encode(into writer: inout MessageWriter) {
        writer.field(1, id)
        writer.field(2, createdAt)
        writer.field(3, room.sid)
        writer.field(4, room.name)
        writer.field(5, room.creationTime_ms)
        writer.field(6, room.creationTime_s)
        if let organization = room.metadataOrganization { writer.element(7, organization) }
        if type.isLater { writer.field(18, type) } else { writer.field(8, type) }
        body.encodeObjects(into: &writer)
        if let endReason {
            writer.element(17, unsigned: UInt64(RoomEndReason.inStoredOrder.firstIndex(of: endReason) ?? 0))
        }
    }

    /// Reads an event to the end of its message.
    package init(from reader: inout MessageReader) throws(MessageFault) {
        self.init(body: .other)
        var type = EventType.other
        var objects = StoredObjects()
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.string()
            case 2: createdAt = try reader.int64()
            case 3: room.sid = try reader.string()
            case 4: room.name = try reader.string()
            case 5: room.creationTime_ms = try reader.int64()
            case 6: room.creationTime_s = try reader.int64()
            case 7: room.metadataOrganization = try reader.string()
            case 8, 18: type = try reader.enumeration()
            case 17: endReason = try reader.enumeration()
            case _ where StoredObjects.fields.contains(field): objects.messages[field: field] = try reader.message()
            default: try reader.skip()
            }
        }
        body = try Body(type, from: &objects, Span())
    }
}

/// The objects of a stored event.
private struct StoredObjects: EventObjectSource {
    /// The fields that hold an object; any other is one of a newer version.
    static let fields = Event.Body.objects.map { $0.storedField }

    var messages = EventObjectTable<MessageReader>()

    func read<Object: EventObject>(_: Span<UInt8>) throws(MessageFault) -> Object {
        try Object(from: messages[Object.self] ?? MessageReader([]))
    }
}

extension Participant {
    func encode(into writer: inout MessageWriter) {
        writer.field(1, sid)
        writer.field(2, identity)
        writer.field(3, kind)
        writer.field(4, joinedAt_ms)
        writer.field(5, joinedAt_s)
        writer.field(6, reason)
        writer.field(7, agentName)
        writer.field(8, direction)
    }

    init(from message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        self.init()
        while let field = try reader.next() {
            switch field {
            case 1: sid = try reader.string()
            case 2: identity = try reader.string()
            case 3: kind = try reader.enumeration()
            case 4: joinedAt_ms = try reader.int64()
            case 5: joinedAt_s = try reader.int64()
            case 6: reason = try reader.enumeration()
            case 7: agentName = try reader.string()
            case 8: direction = try reader.enumeration()
            default: try reader.skip()
            }
        }
    }
}

extension Participant.Kind: StoredEnumeration {
    package static let inStoredOrder: [Participant.Kind] = [
        .standard, .ingress, .egress, .sip, .agent, .connector, .bridge, .other,
    ]
}

extension Track {
    func encode(into writer: inout MessageWriter) {
        writer.field(1, sid)
        writer.field(2, source)
        writer.field(3, type)
        if let version { writer.field(4, fixed: version.packed) }
    }

    init(from message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        self.init()
        while let field = try reader.next() {
            switch field {
            case 1: sid = try reader.string()
            case 2: source = try reader.enumeration()
            case 3: type = try reader.enumeration()
            case 4: version = TrackVersion(packed: try reader.fixed64())
            default: try reader.skip()
            }
        }
    }
}

extension Track.Source: StoredEnumeration {
    package static let inStoredOrder: [Track.Source] = [
        .unknown, .camera, .microphone, .screen_share, .screen_share_audio,
    ]
}

extension Track.Medium: StoredEnumeration {
    package static let inStoredOrder: [Track.Medium] = [.audio, .video, .unknown]
}
