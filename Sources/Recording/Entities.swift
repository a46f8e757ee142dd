import LiveKit
import Storage
import Wire

// Times are in milliseconds since the epoch: `_ms` of events, `received_ms` when we got them.

/// An open room, by SID.
struct RoomState: Entity {
    var key = ""
    var name: Slot<RoomNameState> = .none
    var organization: Slot<OrganizationState> = .none
    /// Where events told it.
    var start_ms: Int64?
    /// Event time of its latest event.
    var lastEvent_ms: Int64 = .min
    var received_ms: Int64 = .min
    /// Rooms are numbered in the order in which they were opened.
    var number: UInt64 = 0
    var isStartCounted = false
    /// When this life began, in Unix seconds.
    var began_s: Int64 = 0
    /// When its first and its last `room_started` of this life say that it began; 0 where none came.
    var firstStart_s: Int64 = 0
    var lastStart_s: Int64 = 0
    /// The latest beginning that is known of what is, or was, in it.
    var lastBeginning = Beginning()
    /// The SID had ended before: its duration begins at `start_ms`, whatever the payload says.
    var isLaterLife = false
    var participants: [Slot<ParticipantState>] = []

    static let vacant = RoomState()
}

/// A participant by SID: one that has joined, or one known only by its tracks.
struct ParticipantState: Entity {
    var key = ""
    var identity = ""
    var room: Slot<RoomState> = .none
    /// Where it stands in `RoomState.participants`.
    var placeInRoom = 0
    /// It has joined, so its kind and join time are known; else only its tracks are.
    var hasJoined = false
    var kind = Participant.Kind.standard
    var join_ms: Int64 = 0
    var lastEvent_ms: Int64 = .min
    var userID: Int64 = 0
    /// A row of `room_presence` was written for it.
    var isPresenceStored = false
    var isStartCounted = false
    /// Its session was observed when its room ended, and it came back.
    var isEndCounted = false
    /// When this life began, in Unix seconds.
    var began_s: Int64 = 0
    /// The SID had ended before: its session begins at `join_ms`, whatever the payload says.
    var isLaterLife = false
    var tracks: [Slot<TrackState>] = []

    static let vacant = ParticipantState()

    /// It counts in `lk_participants_active`.
    var isActive: Bool { hasJoined && kind == .standard }
}

/// A published track, by SID.
struct TrackState: Entity {
    var key = ""
    var participant: Slot<ParticipantState> = .none
    /// Where it stands in `ParticipantState.tracks`.
    var placeInParticipant = 0
    /// Offset of its source and type in `MetricLabels.track`.
    var label = 0
    var lastEvent_ms: Int64 = .min
    /// When this life began, in Unix seconds.
    var began_s: Int64 = 0
    /// When it was last told to be published, in Unix seconds.
    var lastPublished_s: Int64 = 0
    /// It was adopted again: what is remembered of its SID is this life too.
    var hasReturned = false
    /// The highest version that an event of this life told.
    var version: TrackVersion?

    static let vacant = TrackState()

    mutating func note(_ version: TrackVersion?) {
        if let version { self.version = max(version, self.version ?? version) }
    }
}

/// A running egress or ingress, by the id of its job.
struct JobState: Entity {
    var key = ""
    var name: Slot<RoomNameState> = .none
    var organization: Slot<OrganizationState> = .none
    /// Offset of its request or input type in its gauge's labels.
    var label = 0
    var start_ms: Int64?
    var received_ms: Int64 = .min
    /// The attempt that runs now: `retryCount`, 0 for an ingress.
    var attempt = 0
    /// What was counted of it: attempts of an egress, bits of an ingress.
    var facts = Facts.none
    /// The SID of its own room; empty where no event told it.
    var roomSID = ""
    /// Of an ingress, which can be used again: what its sessions have in common.
    var ingressID = ""

    static let vacant = JobState()
}

/// An open participant of a room by what it calls itself.
struct ParticipantIdentity: Hashable {
    let room: Slot<RoomState>
    let identity: ExactText

    init(room: Slot<RoomState>, identity: String) {
        self.room = room
        self.identity = ExactText(identity)
    }
}
