import Wire

/// Where people are, by organization and identity: for the rule that everybody has one session.
///
/// Derived: `Recorder.rebuildSessions` makes it anew from participants and rooms. Empty where the rule is off.
struct SessionIndex: Sendable {
    /// A person of an organization.
    struct Person: Hashable {
        let organization: Slot<OrganizationState>
        let identity: ExactText
    }

    /// One presence of a person.
    struct Session {
        let participant: Slot<ParticipantState>
        /// Its removal was asked for; that is not asked for twice.
        var isRemovalAsked = false
    }

    private var sessions: [Person: [Session]] = [:]

    /// A person's sessions; those whose removal was asked for are among them until they are closed.
    subscript(person: Person) -> [Session] { sessions[person] ?? [] }

    mutating func insert(_ session: Session, of person: Person) { sessions[person, default: []].append(session) }

    /// Takes a session out; nil where it was not there.
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

    /// Who is where, without order: for checks.
    var members: [Person: Set<Slot<ParticipantState>>] { sessions.mapValues { Set($0.map(\.participant)) } }
}
