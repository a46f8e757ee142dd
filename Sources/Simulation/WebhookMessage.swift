import LiveKit
import Wire

/// The message `livekit.WebhookEvent`, before its times are fixed.
package struct WebhookMessage: Sendable {
    enum Subject: Sendable {
        case room(ended: Bool, reason: RoomEndReason? = nil)
        case participant(ParticipantMessage)
        case track(TrackMessage, by: ParticipantMessage)
        case egress(EgressMessage)
        case ingress(IngressMessage)
        /// The room is a part of the job.
        case job(AgentJobMessage)
    }

    let event: EventType
    let id: String
    let createdAt: Timestamp
    let room: RoomMessage
    let subject: Subject

    /// Returns the exact bytes of the body, with all times moved by `shift`.
    package func body(shift: TimeShift) -> [UInt8] {
        ProtoJSON.message { json in
            json.string("event", event.rawValue)
            if case .job = subject {} else { json.object("room") { room.write(to: &$0, shift: shift) } }
            switch subject {
            case .room: break
            case .participant(let participant):
                json.object("participant") { participant.write(to: &$0, shift: shift) }
            case .track(let track, let participant):
                json.object("participant") { participant.write(to: &$0, shift: shift) }
                json.object("track") { track.write(to: &$0, shift: shift) }
            case .egress(let egress):
                json.object("egressInfo") { egress.write(to: &$0, shift: shift) }
            case .ingress(let ingress):
                json.object("ingressInfo") { ingress.write(to: &$0, shift: shift) }
            case .job(let job): json.object("job") { job.write(in: room, to: &$0, shift: shift) }
            }
            json.string("id", id)
            json.long("createdAt", shift.seconds(createdAt))
            if case .room(_, let reason?) = subject {
                json.name("roomEndReason", "ROOM_END_\(reason.rawValue.uppercased())")
            }
        }
    }
}
