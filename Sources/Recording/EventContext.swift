import LiveKit
import Storage
import Wire

/// What the effects of one event have in common.
struct EventContext {
    let id: String
    let type: EventType
    let room: Room
    /// The record of the room's name, `.none` where the event has none.
    let name: Slot<RoomNameState>
    var organization: Slot<OrganizationState>
    /// Why the organization is not known, where it was asked for.
    var failure: LookupError?
    /// The room with the event's SID, `.none` where it is not open.
    var openRoom: Slot<RoomState> = .none
    /// `createdAt`; 0 where absent.
    let created_ms: Int64
    /// `createdAt`, else when it was received: for what compares events with each other.
    let order_ms: Int64
    /// When it happened, in Unix seconds: `createdAt`, else, or where that is later, when it was received.
    let at_s: Int64
    let receivedAt: Timestamp

    init(
        id: String, type: EventType, room: Room, name: Slot<RoomNameState>, organization: Slot<OrganizationState>,
        created_ms: Int64, order_ms: Int64, receivedAt: Timestamp
    ) {
        self.id = id
        self.type = type
        self.room = room
        self.name = name
        self.organization = organization
        self.created_ms = created_ms
        self.order_ms = order_ms
        self.receivedAt = receivedAt
        at_s = Self.second(of: created_ms, receivedAt)
    }

    /// The whole second of a time in milliseconds; one that is absent, 0, or later than receipt is that of receipt.
    static func second(of time_ms: Int64, _ receivedAt: Timestamp) -> Int64 {
        (time_ms > 0 ? min(time_ms, receivedAt.milliseconds) : receivedAt.milliseconds) / 1_000
    }

    /// What the event itself begins.
    var beginning: Beginning { Beginning(at_s: at_s, start_ms: at_s * 1_000) }

    /// When a participant began to be there.
    func beginning(of participant: Participant) -> Beginning {
        guard let joinedAt = participant.joinedAt?.milliseconds else {
            return Beginning(at_s: at_s, start_ms: endedAt.milliseconds)
        }
        return Beginning(at_s: Self.second(of: joinedAt, receivedAt), start_ms: joinedAt)
    }
}

/// Where an event of a participant or a track takes place.
enum Venue {
    /// The room is open, perhaps since just now.
    case open(Slot<RoomState>)
    /// The room has ended: starts count and open nothing.
    case ended(Ending)
    /// The event names no room SID: nothing can be said.
    case nowhere
}
