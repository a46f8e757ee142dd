import LiveKit

/// The body of a webhook with only the fields that lkpush reads, for states of an exact size. The office makes complete
/// bodies.
enum EventBody {
    static func json(_ event: Event) -> [UInt8] {
        var fields = [
            #""event":"\#(event.type.rawValue)""#, #""id":"\#(event.id)""#, #""createdAt":"\#(event.createdAt)""#,
        ]
        var room = #""sid":"\#(event.room.sid)","name":"\#(event.room.name)""#
        if event.room.creationTime_ms > 0 { room += #","creationTimeMs":"\#(event.room.creationTime_ms)""# }
        if let id = event.room.metadataOrganization { room += #","metadata":"{\"org_id\":\"\#(id)\"}""# }
        fields.append(#""room":{\#(room)}"#)
        switch event.body {
        case .participantJoined(let person), .participantLeft(let person), .participantConnectionAborted(let person):
            fields.append(participant(person))
        case .trackPublished(let track, let person), .trackUnpublished(let track, let person):
            fields.append(participant(person))
            let type = track.type == .video ? "VIDEO" : "AUDIO"
            fields.append(
                #""track":{"sid":"\#(track.sid)","source":"\#(track.source.rawValue.uppercased())","type":"\#(type)"}"#)
        case .egressStarted(let job), .egressUpdated(let job), .egressEnded(let job):
            fields.append(
                #""egressInfo":{"egressId":"\#(job.id)","roomComposite":{},"status":\#(job.status.rawValue),"#
                    + #""startedAt":"\#(job.startedAt_ns)","endedAt":"\#(job.endedAt_ns)"}"#)
        case .ingressStarted(let job), .ingressEnded(let job):
            fields.append(
                #""ingressInfo":{"ingressId":"\#(job.id)","inputType":"WHIP_INPUT","state":{"resourceId":"#
                    + #""\#(job.resourceID)","startedAt":"\#(job.startedAt_ns)","endedAt":"\#(job.endedAt_ns)"}}"#)
        // No state that is measured has others.
        default: break
        }
        return Array("{\(fields.joined(separator: ","))}".utf8)
    }

    private static func participant(_ person: Participant) -> String {
        #""participant":{"sid":"\#(person.sid)","identity":"\#(person.identity)","joinedAtMs":"\#(person.joinedAt_ms)"}"#
    }
}
