package import Wire

/// The organization that owns a row, as far as the recorder knows it when it makes the row.
package enum RowOwner: Sendable, Hashable {
    /// The organization is in the database under this key.
    case key(OrganizationKey)
    /// The organization does not come from the database. Its row is found by `id`, and inserted at first sight. With an
    /// empty `name` an existing row keeps its name, and a new one gets its id as name.
    case organization(id: String, name: String)
    /// The lookup failed with an error: the organization is looked up by the room's name when the row is written.
    case room(name: String)
}

/// One change of the database, in the order in which the recorder decided it. Each one is applied exactly once.
package enum StoreRow: Sendable, Hashable {
    /// A participant of kind STANDARD left: adds to the row of user, organization and day.
    case session(SessionRow)
    /// A recording ended: inserts its row, or replaces the row with the same `egressID`.
    case recording(RecordingRow)
    /// A participant of kind STANDARD is connected: inserts its row, or replaces the row of the same participant.
    case present(PresenceRow)
    /// A participant is no longer connected.
    case absent(participantSID: String)
    /// Usage of a day: adds to the row of organization, day and usage.
    case usage(UsageRow)
}

/// A row of `lkpush_usage_daily`, which is added to an existing one. It is a difference, and may be negative.
package struct UsageRow: Sendable, Hashable {
    /// The table of these rows.
    package static let table = "lkpush_usage_daily"
    /// The columns that name a row. The day comes first: whoever asks for a month, asks for all organizations or a few.
    static let key = ["usage_date", "organization_id", "usage"]

    package var owner: RowOwner
    /// The UTC day.
    package var day: CivilDate
    /// `connection:KIND`, `track:SOURCE`, `egress:REQUEST_TYPE`, `ingress:INPUT_TYPE`, `agent:NAME` or `sip:DIRECTION`.
    package var usage: String
    /// Milliseconds that passed on that day.
    package var duration_ms: Int64
    /// The uses that ended on that day.
    package var count: Int64
    /// The length of each of them, rounded up to whole minutes; 0 unless they are connections.
    package var billed_minutes: Int64

    package init(
        owner: RowOwner, day: CivilDate, usage: String, duration_ms: Int64, count: Int64 = 0, billed_minutes: Int64 = 0
    ) {
        self.owner = owner
        self.day = day
        self.usage = usage
        self.duration_ms = duration_ms
        self.count = count
        self.billed_minutes = billed_minutes
    }
}

/// A row of `participant_activity_metrics`, which is added to an existing one.
package struct SessionRow: Sendable, Hashable {
    package var owner: RowOwner
    package var userID: Int64
    /// The UTC day of the session's end.
    package var day: CivilDate
    package var duration_seconds: Double

    package init(owner: RowOwner, userID: Int64, day: CivilDate, duration_seconds: Double) {
        self.owner = owner
        self.userID = userID
        self.day = day
        self.duration_seconds = duration_seconds
    }
}

/// A row of `recordings`.
package struct RecordingRow: Sendable, Hashable {
    package var owner: RowOwner
    package var egressID: String
    /// The room's name; empty if the job has no room.
    package var roomName: String
    package var requestType: String
    /// `completed` or `failed`.
    package var status: String
    package var startedAt: Timestamp?
    package var endedAt: Timestamp
    package var duration_seconds: Double?
    package var size_bytes: Int64
    package var location: String
    package var error: String
    package var expiresAt: Timestamp

    package init(
        owner: RowOwner, egressID: String, roomName: String, requestType: String, status: String,
        startedAt: Timestamp?, endedAt: Timestamp, duration_seconds: Double?, size_bytes: Int64, location: String,
        error: String, expiresAt: Timestamp
    ) {
        self.owner = owner
        self.egressID = egressID
        self.roomName = roomName
        self.requestType = requestType
        self.status = status
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.duration_seconds = duration_seconds
        self.size_bytes = size_bytes
        self.location = location
        self.error = error
        self.expiresAt = expiresAt
    }
}

/// A row of `room_presence`.
package struct PresenceRow: Sendable, Hashable {
    package var owner: RowOwner
    package var participantSID: String
    package var roomSID: String
    package var roomName: String
    package var userID: Int64
    package var identity: String
    package var joinedAt: Timestamp

    package init(
        owner: RowOwner, participantSID: String, roomSID: String, roomName: String, userID: Int64, identity: String,
        joinedAt: Timestamp
    ) {
        self.owner = owner
        self.participantSID = participantSID
        self.roomSID = roomSID
        self.roomName = roomName
        self.userID = userID
        self.identity = identity
        self.joinedAt = joinedAt
    }
}
