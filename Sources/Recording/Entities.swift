import LiveKit
import Storage
import Wire

// Times are in milliseconds since the epoch. `_ms` are times of events, `received_ms` the times of their receipt.

/// An open room, by SID.
struct RoomState: Entity {
    var key = ""
    var name: Slot<RoomNameState> = .none
    var organization: Slot<OrganizationState> = .none
    /// The start, if an event told it.
    var start_ms: Int64?
    /// The time of its latest event, by the event's own clock.
    var lastEvent_ms: Int64 = .min
    var received_ms: Int64 = .min
    /// A number that rises in the order in which rooms were opened.
    var number: UInt64 = 0
    var isStartCounted = false
    /// The beginning of this life, in Unix seconds.
    var began_s: Int64 = 0
    /// The times of the first and the last `room_started` of this life; 0 if none came.
    var firstStart_s: Int64 = 0
    var lastStart_s: Int64 = 0
    /// The latest known beginning of a participant or a track that is, or was, in it.
    var lastBeginning = Beginning()
    /// The SID had an earlier life. So its duration begins at `start_ms`, even if the payload tells an earlier time.
    var isLaterLife = false
    /// The time of the last poll that listed it, while the polls do not list it; else 0.
    var listed_ms: Int64 = 0
    /// The time of the last poll that counted as many participants, while the polls count another number; else 0.
    var agreed_ms: Int64 = 0
    /// The earliest join of somebody whose join was not seen, though the polls counted as many participants; 0 if there
    /// is none. From then on somebody else was not there any more.
    var strangerJoin_ms: Int64 = 0
    var participants: [Slot<ParticipantState>] = []

    static let vacant = RoomState()
}

/// A participant by SID: one that has joined, or one that is known only by its tracks.
struct ParticipantState: Entity {
    var key = ""
    var identity = ""
    var room: Slot<RoomState> = .none
    /// Its index in `RoomState.participants`.
    var placeInRoom = 0
    /// It has joined, so its kind and join time are known. Otherwise only its tracks are known.
    var hasJoined = false
    var kind = Participant.Kind.standard
    var join_ms: Int64 = 0
    var lastEvent_ms: Int64 = .min
    var received_ms: Int64 = 0
    var userID: Int64 = 0
    /// A row of `room_presence` was written for it.
    var isPresenceStored = false
    var isStartCounted = false
    /// Its session was observed when its room ended, and it came back afterwards.
    var isEndCounted = false
    /// The beginning of this life, in Unix seconds.
    var began_s: Int64 = 0
    /// The SID had an earlier life. So its session begins at `join_ms`, even if the payload tells an earlier time.
    var isLaterLife = false
    /// Its time in the series of usage.
    var usage = UsageShare()
    /// The direction of the call that a SIP participant is.
    var direction = CallDirection.unknown
    /// The name of an agent.
    var agentName = ""
    /// It counts as an agent job.
    var isAgentJob = false
    /// A part of the state was lost while it was open. So the end of its session may be in the tables already, unless the
    /// participant itself tells it.
    var isEndDoubtful = false
    var tracks: [Slot<TrackState>] = []

    static let vacant = ParticipantState()

    /// It counts in `lk_participants_active`.
    var isActive: Bool { hasJoined && kind == .standard }
}

/// A published track, by SID.
struct TrackState: Entity {
    var key = ""
    var participant: Slot<ParticipantState> = .none
    /// Its index in `ParticipantState.tracks`.
    var placeInParticipant = 0
    /// The offset of its source and type in `MetricLabels.track`.
    var label = 0
    var lastEvent_ms: Int64 = .min
    /// The beginning of this life, in Unix seconds.
    var began_s: Int64 = 0
    /// The time of its last `track_published`, in Unix seconds.
    var lastPublished_s: Int64 = 0
    /// It was adopted again: the remembered end belongs to this life, too.
    var hasReturned = false
    /// A poll found it, and its publication has not been counted.
    var isAdopted = false
    /// The highest version in the events of this life.
    var version: TrackVersion?
    /// Its time in the series of usage.
    var usage = UsageShare()

    static let vacant = TrackState()

    mutating func note(_ version: TrackVersion?) {
        if let version { self.version = max(version, self.version ?? version) }
    }
}

/// A running egress or ingress, or an agent job that is pending or running, by the id of the job.
struct JobState: Entity {
    var key = ""
    var name: Slot<RoomNameState> = .none
    var organization: Slot<OrganizationState> = .none
    /// The offset of its request type or input type in the labels of its gauge.
    var label = 0
    var start_ms: Int64?
    var received_ms: Int64 = .min
    /// The running attempt: `retryCount` of an egress, 0 for an ingress.
    var attempt = 0
    /// The counts of the job: attempts of an egress, bits of an ingress.
    var facts = Facts.none
    /// The SID of its own room; empty if no event told it.
    var roomSID = ""
    /// The id of the ingress, which all its jobs share; empty for an egress.
    var ingressID = ""
    /// The time of the last poll that listed it as running, while the polls do not; else 0.
    var listed_ms: Int64 = 0
    /// Its time in the series of usage.
    var usage = UsageShare()
    /// An event told that the recording is ACTIVE. Its usage counts from there.
    var isActive = false
    /// The name of an agent; empty for other jobs.
    var agentName = ""
    /// An agent job that has not started.
    var isPending = false
    /// The time from which it is pending, in Unix milliseconds; 0 if unknown.
    var pendingSince_ms: Int64 = 0

    static let vacant = JobState()
}

/// The key of an open participant by its room and its identity.
struct ParticipantIdentity: Hashable {
    let room: Slot<RoomState>
    let identity: ExactText

    init(room: Slot<RoomState>, identity: String) {
        self.room = room
        self.identity = ExactText(identity)
    }
}
