import LiveKit
import Matching
import Metrics
import Storage
import Wire

extension Recorder {
    // MARK: Names of rooms

    /// Returns the record of the event's room name, and makes it if it is new; `.none` if the event has no name.
    mutating func name(of event: Event) -> Slot<RoomNameState> {
        if !event.room.sid.isEmpty {
            let room = rooms.find(event.room.sid)
            if !room.isNone && !rooms[room].name.isNone { return rooms[room].name }
        }
        if event.room.name.isEmpty || event.type == .other { return .none }
        return record(ofName: event.room.name)
    }

    /// Returns the record of a room's name, and makes it if it is new.
    mutating func record(ofName name: String) -> Slot<RoomNameState> {
        let known = names.find(name)
        if !known.isNone { return known }
        makeRoomForName()
        lastNumber += 1
        var state = RoomNameState()
        state.key = name
        state.number = lastNumber
        state.lastUse_ms = now.milliseconds
        let slot = names.insert(state)
        if fixed.isNone { visitLater(slot) }
        return slot
    }

    /// Finds the organization of a name if that is possible now; otherwise asks for it.
    mutating func resolve(_ name: Slot<RoomNameState>, for event: Event, _ actions: inout [Action]) {
        switch settings.organizationSource {
        case .fixed:
            if names[name].resolution == .unresolved { assign(name, to: fixed, &actions) }
        case .roomName(let pattern):
            if names[name].resolution == .unresolved { resolve(name, by: pattern, &actions) }
        case .metadata:
            let id = event.room.metadataOrganization ?? ""
            if Self.isOrganizationID(id) {
                if case .known(let slot) = names[name].resolution, organizations[slot].key == id { return }
                assign(name, to: upsert(Organization(id: id, name: id), named: .makeshift), &actions)
            } else if names[name].resolution == .unresolved {
                names[name].resolution = .failed(id.isEmpty ? .no_organization : .no_org_id, retryAt_ms: .max)
            }
        case .database:
            switch names[name].resolution {
            case .waiting: break
            case .unresolved:
                names[name].resolution = .waiting
                lookUp(name, &actions)
            case .known:
                if isRefreshDue(name) { refresh(name, &actions) }
            case .failed(let reason, let retryAt_ms):
                guard hasCome(retryAt_ms, setAhead: Limits.failureTTL) else { return }
                names[name].resolution = .failed(reason, retryAt_ms: (now + Limits.failureTTL).milliseconds)
                lookUp(name, &actions)
            }
        }
    }

    private mutating func resolve(_ name: Slot<RoomNameState>, by pattern: Pattern, _ actions: inout [Action]) {
        switch pattern.match(names[name].key) {
        case .matched(let groups):
            let id = groups["org"] ?? ""
            guard Self.isOrganizationID(id) else {
                names[name].resolution = .failed(.no_org_id, retryAt_ms: .max)
                return
            }
            let called = groups["name"] ?? ""
            let organization = Organization(id: id, name: called.isEmpty ? id : called)
            assign(name, to: upsert(organization, named: called.isEmpty ? .makeshift : .events), &actions)
        case .notMatched: names[name].resolution = .failed(.room_not_found, retryAt_ms: .max)
        case .gaveUp: names[name].resolution = .failed(.lookup_error, retryAt_ms: .max)
        }
    }

    func isRefreshDue(_ name: Slot<RoomNameState>) -> Bool {
        hasCome(names[name].refreshAt_ms, setAhead: settings.organizationCacheTTL)
    }

    /// Asks again for an organization that is known, so that a change is noticed. The known one stays in use meanwhile.
    mutating func refresh(_ name: Slot<RoomNameState>, _ actions: inout [Action]) {
        names[name].refreshAt_ms = (now + settings.organizationCacheTTL).milliseconds
        lookUp(name, &actions)
    }

    private mutating func lookUp(_ name: Slot<RoomNameState>, _ actions: inout [Action]) {
        process.increment(catalog.lookups)
        names[name].isAsked = true
        actions.append(.lookUp(room: names[name].key))
    }

    // MARK: Answers

    mutating func take(
        answer: Result<Organization, LookupError>, for room: String, _ actions: inout [Action]
    ) {
        guard case .database = settings.organizationSource else { return }
        let name = names.find(room)
        if name.isNone { return }
        names[name].isAsked = false
        switch answer {
        case .success(let organization) where Self.isOrganizationID(organization.id):
            assign(name, to: upsert(organization, named: .database), &actions)
            names[name].refreshAt_ms = (now + settings.organizationCacheTTL).milliseconds
            release(name, &actions)
        case .success: fail(name, .no_org_id, &actions)
        case .failure(let reason): fail(name, reason, &actions)
        }
    }

    private mutating func fail(_ name: Slot<RoomNameState>, _ reason: LookupError, _ actions: inout [Action]) {
        if case .known = names[name].resolution {
            // The known one stays in use until the next refresh.
        } else {
            names[name].resolution = .failed(reason, retryAt_ms: (now + Limits.failureTTL).milliseconds)
        }
        release(name, &actions)
    }

    // MARK: Waiting

    mutating func wait(
        _ event: Event, in name: Slot<RoomNameState>, receivedAt: Timestamp, isRecovered: Bool,
        _ actions: inout [Action]
    ) {
        if waiting.count >= settings.waitingEvents {
            if let longest = waiting.longest() { giveUpWaiting(longest, .queue_full, &actions) }
            if names[name].resolution != .waiting {
                return perform(event, name: name, receivedAt: receivedAt, isRecovered: isRecovered, &actions)
            }
            if waiting.count >= settings.waitingEvents { giveUpWaiting(name, .queue_full, &actions) }
        }
        guard names[name].resolution == .waiting else {
            return perform(event, name: name, receivedAt: receivedAt, isRecovered: isRecovered, &actions)
        }
        waiting.append(event, receivedAt: receivedAt, isRecovered: isRecovered, in: name)
        process.set(catalog.waitingEvents, to: Double(waiting.count))
    }

    /// Applies the events of a name whose organization did not come in time.
    mutating func giveUpWaiting(_ name: Slot<RoomNameState>, _ reason: WaitRelease, _ actions: inout [Action]) {
        process.increment(catalog.waitReleases, reason.ordinal)
        fail(name, .lookup_error, &actions)
    }

    private mutating func release(_ name: Slot<RoomNameState>, _ actions: inout [Action]) {
        let events = waiting.take(name)
        if events.isEmpty { return }
        process.set(catalog.waitingEvents, to: Double(waiting.count))
        for waitingEvent in events {
            perform(waitingEvent, name: name, &actions)
        }
    }

    private mutating func perform(
        _ event: WaitingRooms.WaitingEvent, name: Slot<RoomNameState>, _ actions: inout [Action]
    ) {
        perform(
            event.event, name: name, receivedAt: event.receivedAt, isRecovered: event.isRecovered, &actions)
    }

    /// Applies all waiting events and looks at each name anew: for events that were restored under another organization
    /// source.
    mutating func releaseWaiting(_ actions: inout [Action]) {
        while let line = waiting.longest() {
            let events = waiting.take(line)
            names[line].resolution = .unresolved
            for waitingEvent in events {
                let name = name(of: waitingEvent.event)
                resolve(name, for: waitingEvent.event, &actions)
                perform(waitingEvent, name: name, &actions)
                forgetIfUnused(name)
            }
        }
        process.set(catalog.waitingEvents, to: 0)
    }

    // MARK: Organizations

    /// Returns true if a text can be the public id of an organization.
    package static func isOrganizationID(_ text: String) -> Bool {
        !text.isEmpty && text.utf8.count <= Limits.organizationID_bytes
    }

    /// Returns the record of an organization, makes it if it is new, and updates it.
    mutating func upsert(_ organization: Organization, named source: OrganizationNameSource) -> Slot<OrganizationState>
    {
        var slot = organizations.find(organization.id)
        if slot.isNone { slot = insert(organization.id) }
        if source != .makeshift || !organizations[slot].isNamed {
            organizations[slot].organization.name = organization.name
        }
        if source == .events { organizations[slot].toldName = organization.name }
        organizations[slot].organization.key = organization.key ?? organizations[slot].organization.key
        if let limit = organization.recordingLimit_minutes {
            organizations[slot].organization.recordingLimit_minutes = limit
        }
        organizations[slot].isNamed = true
        if organizations[slot].isShown { show(slot) }
        return slot
    }

    /// Makes the record of a new organization, with what the last licence report told about it.
    mutating func insert(_ id: String) -> Slot<OrganizationState> {
        let licensed = licenses.removeValue(forKey: id)
        return organizations.insert(
            OrganizationState(
                licensed ?? Organization(id: id, name: ""), catalog: catalog, isNamed: licensed != nil))
    }

    /// Gives a room name its organization. Open entities under the name move there.
    mutating func assign(
        _ name: Slot<RoomNameState>, to organization: Slot<OrganizationState>, _ actions: inout [Action]
    ) {
        if case .known(let current) = names[name].resolution {
            if current == organization { return }
            organizations[current].names -= 1
        }
        names[name].resolution = .known(organization)
        organizations[organization].names += 1
        for room in names[name].rooms { move(room, to: organization, &actions) }
        for job in names[name].egress { move(.egress, job, to: organization) }
        for job in names[name].ingress { move(.ingress, job, to: organization) }
        for job in names[name].agentJobs { move(.agentJob, job, to: organization) }
        if names[name].isOpen { noteActivity(of: organization, at: now) }
    }

    /// Moves an open room with its contents: gauges move, counters stay, presence rows are written again.
    mutating func move(
        _ slot: Slot<RoomState>, to organization: Slot<OrganizationState>, _ actions: inout [Action]
    ) {
        let old = rooms[slot].organization
        if old == organization { return }
        moveUsage(of: slot, to: organization)
        rooms[slot].organization = organization
        organizations[old].entities -= 1
        organizations[organization].entities += 1
        organizations[old].adjust(catalog.roomsActive, by: -1)
        organizations[organization].adjust(catalog.roomsActive, by: 1)
        let owner = owner(organization)
        for member in rooms[slot].participants {
            if participants[member].isActive {
                organizations[old].adjust(catalog.participantsActive, by: -1)
                organizations[organization].adjust(catalog.participantsActive, by: 1)
                storePresence(of: member, owner: owner, &actions)
                if settings.isSingleSession { moveSession(member, from: old, to: organization) }
            }
            for track in participants[member].tracks {
                organizations[old].adjust(catalog.tracksActive, tracks[track].label, by: -1)
                organizations[organization].adjust(catalog.tracksActive, tracks[track].label, by: 1)
            }
        }
    }

    private mutating func move(
        _ kind: JobKind, _ slot: Slot<JobState>, to organization: Slot<OrganizationState>
    ) {
        let old = self[jobs: kind][slot].organization
        if old == organization { return }
        let label = self[jobs: kind][slot].label
        let isPending = self[jobs: kind][slot].isPending
        let keys = usageKeys(of: kind, slot)
        if isPending { adjustPending(slot, by: -1) }
        self[jobs: kind][slot].organization = organization
        if isPending { adjustPending(slot, by: 1) }
        var share = self[jobs: kind][slot].usage
        moveUsage(&share, from: old, keys, to: organization, usageKeys(of: kind, slot))
        self[jobs: kind][slot].usage = share
        organizations[old].entities -= 1
        organizations[organization].entities += 1
        guard let metric = catalog.jobsActive(kind) else { return }
        organizations[old].adjust(metric, label, by: -1)
        organizations[organization].adjust(metric, label, by: 1)
    }

    /// Records that an organization had an event. The first event makes its info metric and its limit.
    mutating func noteActivity(of slot: Slot<OrganizationState>, at time: Timestamp) {
        organizations[slot].lastEvent_ms = max(organizations[slot].lastEvent_ms, time.milliseconds)
        if !organizations[slot].isShown && slot != unknown { show(slot) }
    }
}
