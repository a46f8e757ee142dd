import Storage

/// A room name, with its organization and with the open entities under it.
struct RoomNameState: Entity {
    enum Resolution: Equatable {
        /// No lookup was made yet.
        case unresolved
        /// The lookup runs, and events wait for it. Can become: known, failed.
        case waiting
        /// Can become: known, with another organization.
        case known(Slot<OrganizationState>)
        /// The lookup failed, and events apply under `unknown`. The first event at or after `retryAt_ms` starts another
        /// lookup. Can become: known.
        case failed(LookupError, retryAt_ms: Int64)
    }

    var key = ""
    var resolution = Resolution.unresolved
    /// A lookup runs and has not been answered.
    var isAsked = false
    /// The time of the next lookup of a known organization.
    var refreshAt_ms: Int64 = .max
    /// The time at which its last event was received.
    var lastEvent_ms: Int64 = .min
    /// The time at which its last event was received, or its last entity closed.
    var lastUse_ms: Int64 = .min
    /// A number by which a check or a wait recognizes that the place now belongs to another name.
    var number: UInt64 = 0
    var rooms: [Slot<RoomState>] = []
    var egress: [Slot<JobState>] = []
    var ingress: [Slot<JobState>] = []
    var agentJobs: [Slot<JobState>] = []

    static let vacant = RoomNameState()

    var isOpen: Bool { !rooms.isEmpty || !egress.isEmpty || !ingress.isEmpty || !agentJobs.isEmpty }
}
