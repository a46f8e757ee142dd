import LiveKit
import Storage
import Wire

/// The properties of an event that all its effects use.
struct EventContext {
    let id: String
    let type: EventType
    let room: Room
    /// The record of the room's name; `.none` if the event has no name.
    let name: Slot<RoomNameState>
    var organization: Slot<OrganizationState>
    /// The reason for which the organization is unknown, if it was looked up.
    var failure: LookupError?
    /// The open room with the event's SID; `.none` if there is none.
    var openRoom: Slot<RoomState> = .none
    /// `createdAt`; 0 if absent.
    let created_ms: Int64
    /// `createdAt`, else the time of receipt. It orders events.
    let order_ms: Int64
    /// The time of the event in Unix seconds: `createdAt`, but that of receipt if `createdAt` is absent, and `latest` if
    /// it is later.
    let at_s: Int64
    let receivedAt: Timestamp
    /// The time that a webhook was on its way, in seconds, by the clock that makes it the shortest; nil if `createdAt` is
    /// absent. `createdAt` has whole seconds.
    let lag: Double?
    /// The latest time that the event may have happened at: that of receipt, or of the wall clock if that is later.
    let latest: Timestamp

    init(
        id: String, type: EventType, room: Room, name: Slot<RoomNameState>, organization: Slot<OrganizationState>,
        created_ms: Int64, order_ms: Int64, receivedAt: Timestamp, clockAhead_ms: Int64
    ) {
        self.id = id
        self.type = type
        self.room = room
        self.name = name
        self.organization = organization
        self.created_ms = created_ms
        self.order_ms = order_ms
        self.receivedAt = receivedAt
        let wall = receivedAt + .milliseconds(clockAhead_ms)
        latest = max(receivedAt, wall)
        at_s = created_ms > 0 ? Self.second(of: created_ms, latest) : receivedAt.milliseconds / 1_000
        let createdAt = Double(created_ms / 1_000)
        lag = created_ms > 0 ? Self.lag(receivedAt.seconds - createdAt, or: wall.seconds - createdAt) : nil
    }

    /// Returns the shorter of two delays. A negative one is by a clock that is behind, or of an event of the future.
    private static func lag(_ received: Double, or wall: Double) -> Double {
        if received < 0 || wall < 0 { return max(0, received, wall) }
        return min(received, wall)
    }

    /// Returns the whole second of a time in milliseconds. A time that is 0, which means absent, or later than the latest
    /// that it can be counts as that.
    static func second(of time_ms: Int64, _ latest: Timestamp) -> Int64 {
        (time_ms > 0 ? min(time_ms, latest.milliseconds) : latest.milliseconds) / 1_000
    }

    /// The beginning of an entity that this event starts.
    var beginning: Beginning { Beginning(at_s: at_s, start_ms: at_s * 1_000) }

    /// Returns the beginning of a participant's presence.
    func beginning(of participant: Participant) -> Beginning {
        guard let joinedAt = participant.joinedAt?.milliseconds else {
            return Beginning(at_s: at_s, start_ms: endedAt.milliseconds)
        }
        return Beginning(at_s: Self.second(of: joinedAt, latest), start_ms: joinedAt)
    }
}

/// The place of an event of a participant or a track.
enum Venue {
    /// The room is open; this event may have opened it.
    case open(Slot<RoomState>)
    /// The room has ended: a start counts and opens nothing.
    case ended(Ending)
    /// The event has no room SID, so it has no effect.
    case nowhere
}
