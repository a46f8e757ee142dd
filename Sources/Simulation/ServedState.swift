import LiveKit
import Wire

/// All that the server API of the office's LiveKit knows at one moment, and what it needs for lies.
struct ServedState: Sendable {
    /// An egress job, running or ended.
    struct Job: Sendable {
        var told: Told<EgressMessage>
        /// The job as it was while it was active; nil before that.
        var active: Told<EgressMessage>?
    }

    private enum Limits {
        /// LiveKit forgets an egress that ended so long ago.
        static let ended = Duration.seconds(86_400)
    }

    /// By name.
    private(set) var rooms: [String: ServedRoom] = [:]
    /// Rooms that ended and whose name no other room has taken, by name. Only a liar shows them.
    private(set) var ghosts: [String: ServedRoom] = [:]
    /// By id.
    private(set) var jobs: [String: Job] = [:]
    /// By id. LiveKit keeps an ingress after its stream; here it is kept as long as an egress.
    private(set) var streams: [String: Told<IngressMessage>] = [:]
    /// The ids of jobs and streams that ended, in order of time.
    private var ended = Deque<(id: String, at: Timestamp)>()

    /// Takes a webhook that was made at the moment `now` of real time, whether it is delivered or not.
    mutating func take(_ webhook: SimulatedWebhook, shift: TimeShift, now: Timestamp, lot: Lot) {
        forget(at: now)
        // The others tell nothing new.
        guard webhook.novelty == .first else { return }
        let room = webhook.message.room
        switch webhook.message.subject {
        case .room(ended: false, _): start(room, shift)
        case .room(ended: true, _):
            if let ended = rooms.removeValue(forKey: room.name) { ghosts[room.name] = ended.ghost(at: webhook.at) }
        case .participant(let participant):
            if webhook.event == .participantLeft {
                rooms[room.name]?.leave(participant.sid, at: webhook.at, lot: lot)
            } else if webhook.event == .participantJoined, case .full(let details) = participant.detail {
                rooms[room.name]?.join(Told(message: participant, shift: shift), details.kind, lot: lot)
            }
        case .track(let track, let participant):
            if webhook.event == .trackPublished {
                rooms[room.name]?.publish(Told(message: track, shift: shift), by: participant.sid)
            } else {
                rooms[room.name]?.unpublish(track.sid, by: participant.sid)
            }
        case .egress(let egress): take(Told(message: egress, shift: shift), now)
        case .ingress(let ingress):
            streams[ingress.id] = Told(message: ingress, shift: shift)
            if ingress.endedAt != nil { ended.append((ingress.id, now)) }
        // Its jobs are in no list.
        case .job: break
        }
    }

    mutating func take(_ crash: Occurrence.Crash, lot: Lot) { rooms[crash.room]?.crash(lot: lot) }

    private mutating func start(_ room: RoomMessage, _ shift: TimeShift) {
        guard rooms[room.name]?.sid != room.sid else { return rooms[room.name]?.reopen() ?? () }
        guard case .full(let details) = room.detail else { preconditionFailure("a start tells all of its room") }
        rooms[room.name] = ServedRoom(room, details, shift: shift)
        ghosts[room.name] = nil
    }

    private mutating func take(_ egress: Told<EgressMessage>, _ now: Timestamp) {
        let id = egress.message.id
        // A job that failed before it was made is in no list.
        guard !id.isEmpty else { return }
        let active = egress.message.status == .active ? egress : jobs[id]?.active
        jobs[id] = Job(told: egress, active: active)
        if egress.message.status.isFinal { ended.append((id, now)) }
    }

    private mutating func forget(at now: Timestamp) {
        while let oldest = ended.first, now.since(oldest.at) > Limits.ended {
            _ = ended.popFirst()
            jobs[oldest.id] = nil
            streams[oldest.id] = nil
        }
    }
}
