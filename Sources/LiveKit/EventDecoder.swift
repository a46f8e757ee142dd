package import Wire

/// Reads the body of a webhook, as protojson writes it and as protojson would take it.
///
/// Field names in camelCase and snake_case, 64-bit integers as numbers or strings, enum values as names or numbers,
/// `null` as absent, absent as zero; the last of repeated keys wins. Unknown fields are skipped, unknown enum values
/// become `.other` or `.unknown`, unknown events become `.other` with id, time and room. A known event without the
/// object it is about (`participant_joined` without `participant`) has that object with empty values; an empty SID
/// names nothing, and the recorder ignores it.
///
/// A fault is: no JSON, or a field that this event needs with a value of a wrong type, text that is not UTF-8, or an
/// integer that 64 bits cannot hold. Fields that the event does not need only have to be JSON. No input traps.
/// https://protobuf.dev/programming-guides/json/
/// https://github.com/livekit/protocol/blob/main/protobufs/livekit_webhook.proto
package struct EventDecoder: Sendable {
    package enum Limits {
        /// Bytes of an egress error that are kept: it is free text, and a database column holds it.
        package static let error_bytes_max = 4 << 10
        /// The latest time believed: the end of year 9999. Times below zero count as absent, later ones as this, so
        /// that differences of times cannot overflow.
        package static let time_s_max: Int64 = 253_402_300_799
    }

    private let metadataKey: String?

    /// - Parameter metadataKey: the key of the room's JSON metadata that names the organization, where it shall be
    ///   read.
    package init(metadataKey: String? = nil) { self.metadataKey = metadataKey }

    /// The event in `body`, whose signature the caller has checked.
    package func decode(_ body: Span<UInt8>) throws(DecodingFault) -> Event {
        let envelope = try Envelope(body)
        var event = Event(id: envelope.id, createdAt: envelope.createdAt, body: .other)
        switch envelope.type {
        case .other:
            event.room = unneededRoom(envelope, body)
        case .roomStarted, .roomFinished:
            event.room = try room(envelope, body)
            event.body = envelope.type == .roomStarted ? .roomStarted : .roomFinished
        case .participantJoined, .participantLeft, .participantConnectionAborted:
            event.room = try room(envelope, body)
            let participant = try Participant(body, at: envelope.participant)
            event.body =
                switch envelope.type {
                case .participantJoined: .participantJoined(participant)
                case .participantLeft: .participantLeft(participant)
                default: .participantConnectionAborted(participant)
                }
        case .trackPublished, .trackUnpublished:
            event.room = try room(envelope, body)
            let track = try Track(body, at: envelope.track)
            let participant = try Participant(body, at: envelope.participant)
            event.body =
                envelope.type == .trackPublished
                ? .trackPublished(track, by: participant) : .trackUnpublished(track, by: participant)
        case .egressStarted, .egressUpdated, .egressEnded:
            let message = try EgressInfo(body, at: envelope.egress)
            event.room = try room(envelope, body).completed(sid: message.roomSID, name: message.roomName)
            event.body =
                switch envelope.type {
                case .egressStarted: .egressStarted(message.egress)
                case .egressUpdated: .egressUpdated(message.egress)
                default: .egressEnded(message.egress)
                }
        case .ingressStarted, .ingressEnded:
            let message = try IngressInfo(body, at: envelope.ingress)
            event.room = try room(envelope, body).completed(sid: message.roomSID, name: message.roomName)
            event.body =
                envelope.type == .ingressStarted ? .ingressStarted(message.ingress) : .ingressEnded(message.ingress)
        }
        return event
    }

    private func room(_ envelope: Envelope, _ body: Span<UInt8>) throws(DecodingFault) -> Room {
        try Room(body, at: envelope.room, metadataKey: metadataKey)
    }

    /// The room of an event that lkpush does not know, which may lie elsewhere (`agent_job_` events have it in `job`)
    /// or be something else. Such an event is taken whatever it holds.
    private func unneededRoom(_ envelope: Envelope, _ body: Span<UInt8>) -> Room {
        // A fault here is as good as no room: the event is counted and nothing else.
        let room = (try? self.room(envelope, body)) ?? Room()
        guard room.sid.isEmpty, room.name.isEmpty, let job = envelope.job else { return room }
        return (try? AgentJob.room(body, at: job, metadataKey: metadataKey)) ?? room
    }
}

extension Room {
    /// This room, with what it lacks taken from elsewhere in the event.
    fileprivate func completed(sid: String, name: String) -> Room {
        var room = self
        if room.sid.isEmpty { room.sid = sid }
        if room.name.isEmpty { room.name = name }
        return room
    }
}
