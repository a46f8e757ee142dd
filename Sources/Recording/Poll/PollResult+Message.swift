import LiveKit
import Wire

// The stored form of a poll's result; `proto/journal.proto` describes it.

extension PollResult {
    /// Appends the fields of the result.
    func encode(into writer: inout MessageWriter) {
        writer.field(1, askedAt.milliseconds)
        for (number, ids) in [
            (2, absentRooms), (3, differingRooms), (4, settledRooms), (5, absentEgress), (6, absentIngress),
        ] {
            for id in ids { writer.element(number, id) }
        }
        for correction in corrections { writer.message(7) { correction.encode(into: &$0) } }
    }

    /// Reads a result to the end of its message.
    init(from reader: inout MessageReader) throws(MessageFault) {
        self.init(askedAt: Timestamp(milliseconds: 0))
        while let field = try reader.next() {
            switch field {
            case 1: askedAt = Timestamp(milliseconds: try reader.int64())
            case 2: absentRooms.append(try reader.string())
            case 3: differingRooms.append(try reader.string())
            case 4: settledRooms.append(try reader.string())
            case 5: absentEgress.append(try reader.string())
            case 6: absentIngress.append(try reader.string())
            case 7:
                var message = try reader.message()
                if let correction = try Correction(from: &message) { corrections.append(correction) }
            default: try reader.skip()
            }
        }
    }
}

extension PollResult.Correction {
    private enum Kind: StoredEnumeration {
        case endRoom, endParticipant, endTrack, dropEgress, dropIngress, adopt, endJob
        static let inStoredOrder: [Kind] = [
            .endRoom, .endParticipant, .endTrack, .dropEgress, .dropIngress, .adopt, .endJob,
        ]
    }

    fileprivate func encode(into writer: inout MessageWriter) {
        switch self {
        case .endRoom(let sid, let end): Self.encode(.endRoom, sid, at: end, into: &writer)
        case .endParticipant(let sid, let end): Self.encode(.endParticipant, sid, at: end, into: &writer)
        case .endTrack(let sid): Self.encode(.endTrack, sid, into: &writer)
        case .dropEgress(let id): Self.encode(.dropEgress, id, into: &writer)
        case .dropIngress(let key): Self.encode(.dropIngress, key, into: &writer)
        case .adoptRoom(let room): Self.encode(.adopt, Event(room: room, body: .roomStarted), into: &writer)
        case .adoptParticipant(let participant, let room):
            Self.encode(.adopt, Event(room: Room(sid: room), body: .participantJoined(participant)), into: &writer)
        case .adoptTrack(let track, let participant):
            let owner = Participant(sid: participant)
            Self.encode(.adopt, Event(body: .trackPublished(track, by: owner)), into: &writer)
        case .adoptEgress(let job, let room):
            Self.encode(.adopt, Event(room: room, body: .egressUpdated(job)), into: &writer)
        case .adoptIngress(let job, let room):
            Self.encode(.adopt, Event(room: room, body: .ingressStarted(job)), into: &writer)
        case .endEgress(let job, let room):
            Self.encode(.endJob, Event(room: room, body: .egressEnded(job)), into: &writer)
        case .endIngress(let job, let room):
            Self.encode(.endJob, Event(room: room, body: .ingressEnded(job)), into: &writer)
        }
    }

    private static func encode(_ kind: Kind, _ id: String, at end: Timestamp? = nil, into writer: inout MessageWriter) {
        writer.field(1, kind)
        writer.field(2, id)
        if let end { writer.element(3, end.milliseconds) }
    }

    private static func encode(_ kind: Kind, _ event: Event, into writer: inout MessageWriter) {
        writer.field(1, kind)
        writer.message(4) { event.encode(into: &$0) }
    }

    /// Reads a correction to the end of its message; nil if it is one of a newer version.
    fileprivate init?(from reader: inout MessageReader) throws(MessageFault) {
        var kind = Kind.endRoom
        var id = ""
        var end: Timestamp?
        var event = Event(body: .other)
        while let field = try reader.next() {
            switch field {
            case 1: kind = try reader.enumeration()
            case 2: id = try reader.string()
            case 3: end = Timestamp(milliseconds: try reader.int64())
            case 4:
                var message = try reader.message()
                event = try Event(from: &message)
            default: try reader.skip()
            }
        }
        switch kind {
        case .endRoom: self = .endRoom(sid: id, at: end)
        case .endParticipant: self = .endParticipant(sid: id, at: end)
        case .endTrack: self = .endTrack(sid: id)
        case .dropEgress: self = .dropEgress(id: id)
        case .dropIngress: self = .dropIngress(key: id)
        case .adopt, .endJob:
            switch event.body {
            case .roomStarted: self = .adoptRoom(event.room)
            case .participantJoined(let participant): self = .adoptParticipant(participant, room: event.room.sid)
            case .trackPublished(let track, let owner): self = .adoptTrack(track, participant: owner.sid)
            case .egressUpdated(let job): self = .adoptEgress(job, event.room)
            case .ingressStarted(let job): self = .adoptIngress(job, event.room)
            case .egressEnded(let job): self = .endEgress(job, event.room)
            case .ingressEnded(let job): self = .endIngress(job, event.room)
            default: return nil
            }
        }
    }
}
