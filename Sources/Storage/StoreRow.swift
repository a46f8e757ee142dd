package import Wire

/// Whose row it is, as far as the recorder knows when it writes it.
package enum RowOwner: Sendable, Hashable {
    /// The organization is in the database under this key.
    case key(OrganizationKey)
    /// The organization does not come from the database: its row is inserted on first sight, found by `id`. Where
    /// `name` is empty the row that is there keeps its name, and a new one is called by its id.
    case organization(id: String, name: String)
    /// The lookup failed with an error: to be found by the room's name when the row is written.
    case room(name: String)
}

/// One change of the database, in the order the recorder decided it. Each is applied exactly once.
package enum StoreRow: Sendable, Hashable {
    /// A participant of kind STANDARD left: adds to its row of user, organization and day.
    case session(SessionRow)
    /// A recording ended: inserts, or replaces the row of the same `egressID`.
    case recording(RecordingRow)
    /// A participant of kind STANDARD is connected: inserts, or replaces the row of the same participant.
    case present(PresenceRow)
    /// A participant is no longer connected.
    case absent(participantSID: String)
}

/// A row of `participant_activity_metrics`, to be added to the one that is there.
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
    /// The room's name; empty where the job has no room.
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
