package import Wire

/// Decodes the body of a webhook. It reads what protojson writes, and what protojson accepts.
///
/// Field names may be in camelCase or snake_case, 64-bit integers may be numbers or strings, enum values may be names
/// or numbers. `null` means absent, and absent means zero; the last of repeated keys wins. Unknown fields are skipped.
/// Unknown enum values become `.other` or `.unknown`, unknown events become `.other` with id, time and room. A known
/// event without the object that it is about (`participant_joined` without `participant`) gets that object with empty
/// values. An empty SID names nothing, and the recorder ignores it.
///
/// Three things are a fault: a body that is not JSON; a value of a wrong type, a text that is not UTF-8, or an integer
/// that 64 bits cannot hold, in a field that this event needs. Fields that the event does not need must only be JSON.
/// No input traps.
/// https://protobuf.dev/programming-guides/json/
/// https://github.com/livekit/protocol/blob/main/protobufs/livekit_webhook.proto
package struct EventDecoder: Sendable {
    package enum Limits {
        /// The longest error text of an egress, in bytes: it is free text, and a database column holds it.
        package static let error_bytes_max = 4 << 10
        /// The latest time, the end of the year 9999. A negative time counts as absent and a later one as this, so that
        /// differences of times cannot overflow.
        package static let time_s_max: Int64 = 253_402_300_799
    }

    private let metadataKey: String?

    /// - Parameter metadataKey: the key in the room's JSON metadata that names the organization; nil if metadata shall
    ///   not be read.
    package init(metadataKey: String? = nil) { self.metadataKey = metadataKey }

    /// Decodes the event in `body`, whose signature the caller has checked.
    package func decode(_ body: Span<UInt8>) throws(DecodingFault) -> Event {
        let envelope = try Envelope(body)
        var event = Event(id: envelope.id, createdAt: envelope.createdAt, body: .other)
        if envelope.type == .other {
            event.room = unneededRoom(envelope, body)
            return event
        }
        var objects = JSONObjects(
            offsets: envelope.objects, room: try room(envelope, body), metadataKey: metadataKey)
        event.body = try Event.Body(envelope.type, from: &objects, body)
        event.room = objects.room
        if case .roomFinished = event.body { event.endReason = envelope.roomEndReason }
        return event
    }

    private func room(_ envelope: Envelope, _ body: Span<UInt8>) throws(DecodingFault) -> Room {
        try Room(body, at: envelope.room, metadataKey: metadataKey)
    }

    /// Returns the room of an event that lkpush does not know. It may be something else. Such an event is accepted
    /// whatever it holds.
    private func unneededRoom(_ envelope: Envelope, _ body: Span<UInt8>) -> Room {
        // A fault here counts as no room: the event is counted, and nothing else happens.
        (try? room(envelope, body)) ?? Room()
    }
}

/// The objects of a webhook.
private struct JSONObjects: EventObjectSource {
    let offsets: EventObjectTable<Int>
    var room: Room
    let metadataKey: String?

    mutating func read<Object: EventObject>(_ bytes: Span<UInt8>) throws(DecodingFault) -> Object {
        try Object(bytes, at: offsets[Object.self], completing: &room, metadataKey: metadataKey)
    }
}
