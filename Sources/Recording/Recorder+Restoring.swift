import LiveKit
import Metrics
import Storage
package import Wire

// Restoring. Saved bytes may be damaged, so nothing is used before it is checked.

extension Recorder {
    /// Restores a saved recorder, with its series in the catalog's registry, which must have none of them yet.
    ///
    /// Counters and gauges keep their values and their beginning; those about lkpush itself begin at 0. If project or
    /// region have changed, the series of organizations are different ones and their totals begin at 0. If the
    /// organization source has changed, open entities stay where they are until the next event of their room.
    ///
    /// - Parameters:
    ///   - ids: all saved segments, in any order; ids in missing segments are not remembered.
    ///   - keepsTotals: false if inputs after the state may be lost; then counters and histograms begin at 0.
    /// - Throws: a description of the mistake in the bytes. The registry may hold some series then, and must not be
    ///   used any more.
    package init(
        restoring reader: MessageReader, ids: [IDSegment], keepsTotals: Bool, settings: RecorderSettings,
        catalog: Catalog
    ) throws(StateFault) {
        do throws(MessageFault) {
            let saved = try SavedState(reader)
            self = try Recorder(saved, keepsTotals: keepsTotals, settings: settings, catalog: catalog)
            try restore(ids, saved)
            try link()
            countSets()
            let isSame = saved.source.hasSeries(of: SavedSource(settings, catalog))
            countUsage(
                isSaved: saved.usage != nil, keepsSeries: keepsTotals && isSame, keepsTotals: keepsTotals)
            follow(settings, from: saved.source)
        } catch {
            throw StateFault(description: error.description)
        }
    }

    private init(
        _ saved: SavedState, keepsTotals: Bool, settings: RecorderSettings, catalog: Catalog
    ) throws(MessageFault) {
        var positions = SavedPositions()
        for metric in saved.metrics { try positions.add(metric, catalog) }
        var process = catalog.processTable()
        try process.restore(from: saved.process, positions, isProcess: true, keepsTotals: keepsTotals)
        let isSame = saved.source.hasSeries(of: SavedSource(settings, catalog))
        var states: [OrganizationState] = []
        states.reserveCapacity(saved.organizations.elements.count)
        for organization in saved.organizations.elements {
            states.append(try organization.state(catalog, positions, keepsTotals: keepsTotals && isSame))
        }
        let organizations = try EntityTable(states, free: saved.organizations.free)
        let unknown = organizations.find("unknown")
        guard !unknown.isNone else { throw MessageFault("there is no unknown organization") }
        self.init(settings: settings, catalog: catalog, organizations: organizations, unknown: unknown)
        self.process = process
        for metric in catalog.all where metric.column == .histograms {
            let isOther = saved.metrics.contains { $0.name == metric.name && $0.buckets != metric.buckets }
            if isOther { rebucketed.insert(metric.name) }
        }
        now = Timestamp(milliseconds: saved.now_ms)
        clockAhead_ms = Self.clampedAhead_ms(saved.clockAhead_ms)
        catalog.clock.set(now)
        lastTick_ms = saved.lastTick_ms
        lastSweep_ms = saved.lastSweep_ms
        lastNumber = saved.lastNumber
        lastPoll_ms = saved.lastPoll_ms
        replaced = saved.replaced
        // Before 0.7.0 it was not kept: then the state counts as begun when it was saved.
        beganAt_ms = saved.beganAt_ms > 0 ? saved.beganAt_ms : saved.now_ms
        licenses = saved.licenses
        names = try EntityTable(saved.names.elements, free: saved.names.free)
        rooms = try EntityTable(saved.rooms.elements, free: saved.rooms.free)
        participants = try EntityTable(saved.participants.elements, free: saved.participants.free)
        tracks = try EntityTable(saved.tracks.elements, free: saved.tracks.free)
        egress = try EntityTable(saved.egress.elements, free: saved.egress.free)
        ingress = try EntityTable(saved.ingress.elements, free: saved.ingress.free)
        agentJobs = try EntityTable(saved.agentJobs.elements, free: saved.agentJobs.free)
        usage = saved.usage ?? UsageState()
        try relabel(positions)
        for visit in saved.nameChecks {
            guard visit.name.position >= 0, visit.name.position < names.places_count else {
                throw MessageFault("a visit is of no name")
            }
            nameChecks.append(visit)
        }
        var lined: Set<Slot<RoomNameState>> = []
        for waiter in saved.waiters {
            guard names.holds(waiter.name), names[waiter.name].resolution == .waiting, !waiter.events.isEmpty,
                waiter.number <= saved.lastWaiter, lined.insert(waiter.name).inserted
            else { throw MessageFault("a room waits for nothing") }
        }
        waiting = WaitingRooms(saved.waiters, lastNumber: saved.lastWaiter)
    }

    private mutating func restore(_ segments: [IDSegment], _ saved: SavedState) throws(MessageFault) {
        var runs = [[IDRun]](repeating: [], count: Self.remembered.count)
        for segment in segments {
            let (kind, run) = try segment.run()
            runs[kind].append(run)
        }
        for (kind, ids) in Self.remembered.enumerated() where kind < saved.ids.count {
            runs[kind].sort { $0.first < $1.first }
            missingIDs += try self[keyPath: ids].restore(
                runs[kind], first: saved.ids[kind].first, next: saved.ids[kind].next)
            runs[kind] = []
        }
    }

    // MARK: Labels

    /// Converts the label offsets of tracks and jobs to those of this version.
    private mutating func relabel(_ positions: SavedPositions) throws(MessageFault) {
        for place in 0..<tracks.places_count {
            let slot = tracks.slot(at: place)
            if slot.isNone { continue }
            tracks[slot].label = try positions.offset(tracks[slot].label, of: catalog.tracksActive)
        }
        for kind in JobKind.allCases {
            guard let metric = catalog.jobsActive(kind) else { continue }
            for place in 0..<self[jobs: kind].places_count {
                let slot = self[jobs: kind].slot(at: place)
                if slot.isNone { continue }
                let label = self[jobs: kind][slot].label
                self[jobs: kind][slot].label = try positions.offset(label, of: metric)
            }
        }
    }

    // MARK: Links

    /// Checks every link, and makes the links that are not saved.
    private mutating func link() throws(MessageFault) {
        try linkMembers()
        try linkTracks()
        try linkSessions()
        try checkNames()
    }

    private mutating func linkMembers() throws(MessageFault) {
        var sizes = [Int](repeating: 0, count: rooms.places_count)
        for (slot, participant) in participants.all {
            guard rooms.holds(participant.room) else { throw MessageFault("a participant is in no room") }
            sizes[participant.room.index] += 1
            if !participant.hasJoined || participant.identity.isEmpty { continue }
            let identity = ParticipantIdentity(room: participant.room, identity: participant.identity)
            guard identities.updateValue(slot, forKey: identity) == nil else {
                throw MessageFault("two have one identity")
            }
        }
        for (slot, room) in rooms.all {
            guard room.number <= lastNumber, room.number > 0 else { throw MessageFault("a room has no number") }
            guard organizations.holds(room.organization) else { throw MessageFault("a room has no organization") }
            rooms[slot].participants = [Slot<ParticipantState>](repeating: .none, count: sizes[slot.index])
        }
        for (slot, participant) in participants.all {
            let place = participant.placeInRoom
            guard place < sizes[participant.room.index], rooms[participant.room].participants[place].isNone else {
                throw MessageFault("two participants have one place")
            }
            rooms[participant.room].participants[place] = slot
        }
    }

    private mutating func linkTracks() throws(MessageFault) {
        var sizes = [Int](repeating: 0, count: participants.places_count)
        for (_, track) in tracks.all {
            guard participants.holds(track.participant) else { throw MessageFault("a track is of nobody") }
            sizes[track.participant.index] += 1
        }
        for (slot, participant) in participants.all {
            guard participant.hasJoined || sizes[slot.index] > 0 else { throw MessageFault("a participant is nothing") }
            if sizes[slot.index] == 0 { continue }
            participants[slot].tracks = [Slot<TrackState>](repeating: .none, count: sizes[slot.index])
        }
        for (slot, track) in tracks.all {
            let place = track.placeInParticipant
            guard place < sizes[track.participant.index], participants[track.participant].tracks[place].isNone else {
                throw MessageFault("two tracks have one place")
            }
            participants[track.participant].tracks[place] = slot
        }
    }

    private mutating func linkSessions() throws(MessageFault) {
        for (slot, job) in ingress.all where !job.ingressID.isEmpty {
            guard ingressJobs.updateValue(slot, forKey: ExactText(job.ingressID)) == nil else {
                throw MessageFault("an ingress has two sessions")
            }
        }
    }

    /// Checks that every open entity and its name refer to each other, once.
    private func checkNames() throws(MessageFault) {
        var listed = (rooms: 0, egress: 0, ingress: 0, agentJobs: 0)
        for (slot, name) in names.all {
            guard name.number <= lastNumber, name.number > 0 else { throw MessageFault("a name has no number") }
            if case .known(let organization) = name.resolution, !organizations.holds(organization) {
                throw MessageFault("a name has no organization")
            }
            guard Set(name.rooms).count == name.rooms.count, Set(name.egress).count == name.egress.count,
                Set(name.ingress).count == name.ingress.count,
                Set(name.agentJobs).count == name.agentJobs.count,
                name.rooms.allSatisfy({ rooms.holds($0) && rooms[$0].name == slot }),
                name.egress.allSatisfy({ egress.holds($0) && egress[$0].name == slot }),
                name.ingress.allSatisfy({ ingress.holds($0) && ingress[$0].name == slot }),
                name.agentJobs.allSatisfy({ agentJobs.holds($0) && agentJobs[$0].name == slot })
            else { throw MessageFault("a name has what is not its own") }
            listed.rooms += name.rooms.count
            listed.egress += name.egress.count
            listed.ingress += name.ingress.count
            listed.agentJobs += name.agentJobs.count
        }
        let jobs = (egress.all.map(\.element), ingress.all.map(\.element), agentJobs.all.map(\.element))
        guard listed.rooms == rooms.all.count(where: { !$0.element.name.isNone }),
            listed.egress == jobs.0.count(where: { !$0.name.isNone }),
            listed.ingress == jobs.1.count(where: { !$0.name.isNone }),
            listed.agentJobs == jobs.2.count(where: { !$0.name.isNone })
        else { throw MessageFault("something is not under its name") }
        guard (jobs.0 + jobs.1 + jobs.2).allSatisfy({ organizations.holds($0.organization) }) else {
            throw MessageFault("a job has no organization")
        }
    }

    // MARK: Sets

    /// Counts the open entities of each organization.
    private mutating func countSets() {
        func count(_ metric: Metric<Gauge>, _ offset: Int = 0, _ slot: Slot<OrganizationState>) {
            organizations[slot].open[metric.base + offset] += 1
        }
        for (_, room) in rooms.all {
            organizations[room.organization].entities += 1
            count(catalog.roomsActive, 0, room.organization)
        }
        for (_, participant) in participants.all where participant.isActive {
            count(catalog.participantsActive, 0, rooms[participant.room].organization)
        }
        for (slot, track) in tracks.all { count(catalog.tracksActive, track.label, organization(of: slot)) }
        for kind in JobKind.allCases {
            for (_, job) in self[jobs: kind].all {
                organizations[job.organization].entities += 1
                if let metric = catalog.jobsActive(kind) { count(metric, job.label, job.organization) }
            }
        }
        for (_, name) in names.all {
            if case .known(let organization) = name.resolution { organizations[organization].names += 1 }
        }
    }

    // MARK: Other settings

    /// Applies settings that differ from those of the saved state.
    private mutating func follow(_ settings: RecorderSettings, from saved: SavedSource) {
        let source = SavedSource(settings, catalog)
        if case .fixed(let id, let name) = settings.organizationSource {
            fixed = organizations.find(id)
            if fixed.isNone || saved.name != name || !source.finds(as: saved) {
                fixed = upsert(Organization(id: id, name: name), named: name == id ? .makeshift : .events)
            }
        }
        if source.finds(as: saved) { return }
        nameChecks = Deque()
        for (slot, name) in names.all {
            if case .known(let organization) = name.resolution { organizations[organization].names -= 1 }
            if name.resolution != .waiting { names[slot].resolution = .unresolved }
            names[slot].refreshAt_ms = .max
            names[slot].isAsked = false
            if fixed.isNone {
                visitLater(slot)
            } else if !name.isOpen && name.resolution != .waiting {
                names.remove(slot)
            }
        }
    }
}
