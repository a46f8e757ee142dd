import Wire

/// The sessions of people by organization and identity, for the rule that everybody has one session.
///
/// It is derived state: `Recorder.rebuildSessions` makes it from participants and rooms. It is empty if the rule is
/// off.
struct SessionIndex: Sendable {
    /// A person in an organization.
    struct Person: Hashable {
        let organization: Slot<OrganizationState>
        let identity: ExactText
    }

    /// The presence of a person in one room.
    struct Session {
        let participant: Slot<ParticipantState>
        /// Its removal was asked for; that is asked for only once.
        var isRemovalAsked = false
    }

    private var sessions: [Person: [Session]] = [:]

    /// The sessions of a person. Those whose removal was asked for are included until they are closed.
    subscript(person: Person) -> [Session] { sessions[person] ?? [] }

    mutating func insert(_ session: Session, of person: Person) { sessions[person, default: []].append(session) }

    /// Removes a session and returns it; nil if it is not there.
    mutating func remove(_ participant: Slot<ParticipantState>, of person: Person) -> Session? {
        guard let place = sessions[person]?.firstIndex(where: { $0.participant == participant }) else { return nil }
        let session = sessions[person]?.remove(at: place)
        if sessions[person]?.isEmpty == true { sessions[person] = nil }
        return session
    }

    mutating func noteRemoval(of participant: Slot<ParticipantState>, of person: Person) {
        guard let place = sessions[person]?.firstIndex(where: { $0.participant == participant }) else { return }
        sessions[person]?[place].isRemovalAsked = true
    }

    /// The participants of each person, without order, for checks.
    var members: [Person: Set<Slot<ParticipantState>>] { sessions.mapValues { Set($0.map(\.participant)) } }
}
