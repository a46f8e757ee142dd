import LiveKit
import Metrics
import Storage
import Wire

// Connections: participants of every kind, with the calls and the agents among them. Specification, *Usage* and
// "Metrics of usage".

extension Recorder {
    // MARK: Counting

    /// Counts the join of a participant of any kind.
    mutating func countConnection(_ participant: Participant, isAgentJob: Bool, _ context: EventContext) {
        increment(catalog.connections, participant.kind.ordinal, of: context.organization)
        if participant.kind == .sip {
            increment(catalog.sipCalls, participant.direction.ordinal, of: context.organization)
        }
        if isAgentJob { countAgent(catalog.agentJobsStarted, participant.agentName, of: context.organization) }
    }

    /// Counts the end of a connection.
    mutating func countEnd(
        _ kind: Participant.Kind, _ reason: DisconnectReason, agent: String?, of organization: Slot<OrganizationState>
    ) {
        let reasons = DisconnectReason.allCases.count
        increment(catalog.connectionsEnded, kind.ordinal * reasons + reason.ordinal, of: organization)
        guard let agent else { return }
        let result: AgentResult = reason == .agent_error ? .failed : .success
        countAgentEnd(agent, result, reason.rawValue, of: organization)
    }

    mutating func countAborted(_ participant: Participant, _ context: EventContext) {
        let reasons = DisconnectReason.allCases.count
        increment(
            catalog.connectionsAborted, participant.kind.ordinal * reasons + participant.reason.ordinal,
            of: context.organization)
    }

    /// Adds to a sparse counter of an organization.
    mutating func increment(
        _ metric: SparseMetric<Counter>, _ offset: Int, by amount: Double = 1, of slot: Slot<OrganizationState>
    ) {
        let prefix = organizations[slot].prefix
        organizations[slot].sparse.instrument(metric, offset, prefix)?.increment(by: amount)
        organizations[slot].hasEventSeries = true
    }

    // MARK: Usage of participants

    /// An agent makes the metrics of agents if no event of an agent job ever came.
    func isAgentJob(_ participant: Participant) -> Bool { participant.kind == .agent && !usage.hasAgentEvents }

    /// Returns the series of a participant, under an organization.
    mutating func usageKeys(
        of slot: Slot<ParticipantState>, in organization: Slot<OrganizationState>
    ) -> UsageKeys {
        let participant = participants[slot]
        let connection = UsageKey.connection(participant.kind)
        if participant.kind == .sip { return UsageKeys(connection, .sip(participant.direction)) }
        guard participant.isAgentJob else { return UsageKeys(connection) }
        return UsageKeys(connection, .agent(agentPlace(participant.agentName, of: organization)))
    }

    /// Returns the series of a participant that is not open.
    private mutating func usageKeys(of participant: Participant, in organization: Slot<OrganizationState>) -> UsageKeys
    {
        let connection = UsageKey.connection(participant.kind)
        if participant.kind == .sip { return UsageKeys(connection, .sip(participant.direction)) }
        guard isAgentJob(participant) else { return UsageKeys(connection) }
        return UsageKeys(connection, .agent(agentPlace(participant.agentName, of: organization)))
    }

    /// Notes what the usage of a participant depends on, and begins to count it.
    ///
    /// - Parameter start_ms: the start of a later part of its stay; nil for the whole.
    mutating func openConnection(
        _ slot: Slot<ParticipantState>, of participant: Participant, received_ms: Int64,
        continuedAt start_ms: Int64? = nil
    ) {
        guard participants[slot].hasJoined, !participants[slot].usage.isOpen else { return }
        participants[slot].direction = participant.direction
        participants[slot].agentName = participant.agentName
        participants[slot].isAgentJob = isAgentJob(participant)
        openConnection(slot, received_ms: received_ms, continuedAt: start_ms)
    }

    mutating func openConnection(
        _ slot: Slot<ParticipantState>, received_ms: Int64, continuedAt start_ms: Int64? = nil, isBack: Bool = false
    ) {
        let organization = rooms[participants[slot].room].organization
        var share = openUsage(
            usageKeys(of: slot, in: organization), in: organization, start_ms: start_ms ?? participants[slot].join_ms,
            received_ms: received_ms, id: isBack ? Fingerprint(participants[slot].key) : nil)
        if start_ms != nil { share.isContinued = true }
        participants[slot].usage = share
    }

    /// Ends the usage of an open participant.
    ///
    /// - Parameter end: if nil, it ended unseen, with its last evidence.
    mutating func endConnection(_ slot: Slot<ParticipantState>, _ end: UsageEnd?) {
        guard participants[slot].usage.isOpen else { return }
        let room = participants[slot].room
        var share = participants[slot].usage
        endUsage(
            &share, usageKeys(of: slot, in: rooms[room].organization), in: rooms[room].organization,
            end ?? .estimated(lastEvidence_ms(of: slot)), id: Fingerprint(participants[slot].key),
            roomName: nameOfUnresolved(room))
        participants[slot].usage = share
    }

    /// Ends the usage of an open participant with an event that tells its end, and counts the end once.
    mutating func endConnection(
        _ slot: Slot<ParticipantState>, told_ms: Int64? = nil, _ reason: DisconnectReason, _ context: EventContext
    ) {
        let participant = participants[slot]
        endConnection(slot, .exact(wholeStay(of: participant, told_ms: told_ms, until: context.created_ms)))
        if participant.isEndCounted { return }
        countEnd(
            participant.kind, reason, agent: participant.isAgentJob ? participant.agentName : nil,
            of: rooms[participant.room].organization)
    }

    /// Returns the time of a stay; nil if it is unknown or implausible.
    private func wholeStay(of participant: ParticipantState, told_ms: Int64?, until end_ms: Int64) -> UsageInterval? {
        if participant.usage.isContinued { return .between(participant.usage.start_ms, end_ms) }
        let start_ms =
            beginning_ms(told: told_ms, known: participant.join_ms, isLater: participant.isLaterLife)
            ?? participant.join_ms
        return start_ms > 0 ? .between(start_ms, end_ms) : nil
    }

    /// Counts a participant that left, and that is not open: its join was not seen, or another rule has closed it.
    mutating func addConnection(_ participant: Participant, _ context: EventContext) {
        let organization = context.organization
        countEnd(
            participant.kind, participant.reason, agent: isAgentJob(participant) ? participant.agentName : nil,
            of: organization)
        guard let join_ms = participant.joinedAt?.milliseconds,
            let whole = UsageInterval.between(join_ms, context.created_ms)
        else { return }
        addUsage(
            usageKeys(of: participant, in: organization), in: organization, whole, id: Fingerprint(participant.sid),
            roomName: roomName(ofFailed: context))
    }

    /// Puts the exact end of a participant in the place of an estimated one. Its end was counted then.
    mutating func replaceEstimate(of participant: Participant, _ context: EventContext) {
        let id = Fingerprint(participant.sid)
        guard context.created_ms > 0, let known = usage.estimates[id] else { return }
        let join_ms = participant.joinedAt?.milliseconds ?? known.whole.start_ms
        guard let whole = UsageInterval.between(join_ms, context.created_ms) else { return }
        addUsage(
            usageKeys(of: participant, in: context.organization), in: context.organization, whole, id: id,
            roomName: roomName(ofFailed: context))
    }

    // MARK: Rooms without an organization

    /// The name of a room under which rows wait because its organization could not be looked up; else nil.
    func nameOfUnresolved(_ room: Slot<RoomState>) -> String? {
        let name = rooms[room].name
        guard rooms[room].organization == unknown, !name.isNone, case .failed(.lookup_error, _) = names[name].resolution
        else { return nil }
        return names[name].key
    }

    func roomName(ofFailed context: EventContext) -> String? {
        context.failure == .lookup_error ? names[context.name].key : nil
    }

    // MARK: Tracks

    /// Ends the usage of an open track.
    ///
    /// - Parameter end_ms: the time of the end, by LiveKit's clock; if nil, it ended unseen, with the last evidence of
    ///   its participant. The time of an adopted track is an estimate in both cases: its publication may still come.
    mutating func endTrackUsage(_ slot: Slot<TrackState>, at end_ms: Int64?) {
        guard tracks[slot].usage.isOpen else { return }
        var share = tracks[slot].usage
        let holder = tracks[slot].participant
        var end = UsageEnd.estimated(end_ms ?? max(lastEvidence_ms(of: holder), tracks[slot].lastEvent_ms))
        if let end_ms, !tracks[slot].isAdopted {
            end = .exact(share.start_ms > 0 ? .between(share.start_ms, end_ms) : nil)
        }
        endUsage(
            &share, UsageKeys(.track(label: tracks[slot].label)), in: organization(of: slot), end,
            id: Fingerprint(tracks[slot].key), roomName: nameOfUnresolved(participants[holder].room))
        tracks[slot].usage = share
    }

    /// Puts the exact end of a track in the place of an estimated one.
    mutating func replaceEstimate(of track: Track, _ context: EventContext) {
        let id = Fingerprint(track.sid)
        guard context.created_ms > 0, let known = usage.estimates[id],
            let whole = UsageInterval.between(known.whole.start_ms, context.created_ms)
        else { return }
        addUsage(
            UsageKeys(.track(label: track.ordinal)), in: context.organization, whole, id: id,
            roomName: roomName(ofFailed: context))
    }

    mutating func openTrackUsage(
        _ slot: Slot<TrackState>, start_ms: Int64, received_ms: Int64, isBack: Bool = false
    ) {
        let organization = organization(of: slot)
        tracks[slot].usage = openUsage(
            UsageKeys(.track(label: tracks[slot].label)), in: organization, start_ms: start_ms,
            received_ms: received_ms, id: isBack ? Fingerprint(tracks[slot].key) : nil)
    }

    /// Adds the time of a track that is not open any more, whose publication comes after its end.
    mutating func addTrack(_ track: Track, from start_ms: Int64, until end_s: Int64, _ context: EventContext) {
        guard start_ms > 0, end_s > 0, let whole = UsageInterval.between(start_ms, end_s * 1_000) else { return }
        addUsage(
            UsageKeys(.track(label: track.ordinal)), in: context.organization, whole, id: Fingerprint(track.sid),
            roomName: roomName(ofFailed: context))
    }
}

extension UsageInterval {
    /// Returns the time between two points; nil if it is implausible.
    static func between(_ start_ms: Int64, _ end_ms: Int64) -> UsageInterval? {
        guard times.contains(start_ms), case .plausible = DurationRule.between(start_ms, end_ms) else { return nil }
        return UsageInterval(start_ms: start_ms, length_ms: max(0, end_ms - start_ms))
    }
}
