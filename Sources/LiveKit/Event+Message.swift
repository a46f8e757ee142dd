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
        writer.field(8, type)
        switch body {
        case .roomStarted, .roomFinished, .other: break
        case .participantJoined(let participant), .participantLeft(let participant),
            .participantConnectionAborted(let participant):
            writer.message(9) { participant.encode(into: &$0) }
        case .trackPublished(let track, let participant), .trackUnpublished(let track, let participant):
            writer.message(9) { participant.encode(into: &$0) }
            writer.message(10) { track.encode(into: &$0) }
        case .egressStarted(let job), .egressUpdated(let job), .egressEnded(let job):
            writer.message(11) { job.encode(into: &$0) }
        case .ingressStarted(let job), .ingressEnded(let job):
            writer.message(12) { job.encode(into: &$0) }
        }
    }

    /// Reads an event to the end of its message.
    package init(from reader: inout MessageReader) throws(MessageFault) {
        self.init(body: .other)
        var type = EventType.other
        var participant = Participant()
        var track = Track()
        var egress = Egress()
        var ingress = Ingress()
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.string()
            case 2: createdAt = try reader.int64()
            case 3: room.sid = try reader.string()
            case 4: room.name = try reader.string()
            case 5: room.creationTime_ms = try reader.int64()
            case 6: room.creationTime_s = try reader.int64()
            case 7: room.metadataOrganization = try reader.string()
            case 8: type = try reader.enumeration()
            case 9: participant = try Participant(from: reader.message())
            case 10: track = try Track(from: reader.message())
            case 11: egress = try Egress(from: reader.message())
            case 12: ingress = try Ingress(from: reader.message())
            default: try reader.skip()
            }
        }
        body =
            switch type {
            case .roomStarted: .roomStarted
            case .roomFinished: .roomFinished
            case .participantJoined: .participantJoined(participant)
            case .participantLeft: .participantLeft(participant)
            case .participantConnectionAborted: .participantConnectionAborted(participant)
            case .trackPublished: .trackPublished(track, by: participant)
            case .trackUnpublished: .trackUnpublished(track, by: participant)
            case .egressStarted: .egressStarted(egress)
            case .egressUpdated: .egressUpdated(egress)
            case .egressEnded: .egressEnded(egress)
            case .ingressStarted: .ingressStarted(ingress)
            case .ingressEnded: .ingressEnded(ingress)
            case .other: .other
            }
    }
}

extension EventType: StoredEnumeration {
    package static let inStoredOrder: [EventType] = [
        .other, .roomStarted, .roomFinished, .participantJoined, .participantLeft, .participantConnectionAborted,
        .trackPublished, .trackUnpublished, .egressStarted, .egressUpdated, .egressEnded, .ingressStarted,
        .ingressEnded,
    ]
}

extension Participant {
    fileprivate func encode(into writer: inout MessageWriter) {
        writer.field(1, sid)
        writer.field(2, identity)
        writer.field(3, kind)
        writer.field(4, joinedAt_ms)
        writer.field(5, joinedAt_s)
    }

    fileprivate init(from message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        self.init()
        while let field = try reader.next() {
            switch field {
            case 1: sid = try reader.string()
            case 2: identity = try reader.string()
            case 3: kind = try reader.enumeration()
            case 4: joinedAt_ms = try reader.int64()
            case 5: joinedAt_s = try reader.int64()
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
    fileprivate func encode(into writer: inout MessageWriter) {
        writer.field(1, sid)
        writer.field(2, source)
        writer.field(3, type)
        if let version { writer.field(4, fixed: version.packed) }
    }

    fileprivate init(from message: consuming MessageReader) throws(MessageFault) {
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
