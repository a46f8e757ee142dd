import Storage

/// What is known of a room name: its organization, and what is open under it.
struct RoomNameState: Entity {
    enum Resolution: Equatable {
        /// Nobody has been asked yet.
        case unresolved
        /// The database has been asked; events wait. Can become: known, failed.
        case waiting
        /// Can become: known with another organization.
        case known(Slot<OrganizationState>)
        /// Events apply under `unknown` meanwhile; asked again by the first event at `retryAt_ms`. Can become: known.
        case failed(LookupError, retryAt_ms: Int64)
    }

    var key = ""
    var resolution = Resolution.unresolved
    /// The database has been asked and has not answered.
    var isAsked = false
    /// When a known organization is asked for again.
    var refreshAt_ms: Int64 = .max
    /// When its last event was received.
    var lastEvent_ms: Int64 = .min
    /// When its last event was received, or its last entity closed.
    var lastUse_ms: Int64 = .min
    /// Tells a visit or a wait of this name from one of another name that had its place before.
    var number: UInt64 = 0
    var rooms: [Slot<RoomState>] = []
    var egress: [Slot<JobState>] = []
    var ingress: [Slot<JobState>] = []

    static let vacant = RoomNameState()

    var isOpen: Bool { !rooms.isEmpty || !egress.isEmpty || !ingress.isEmpty }
}
