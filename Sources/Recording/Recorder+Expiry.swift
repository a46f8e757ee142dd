import Metrics
import Storage
import Wire

// Everything that happens because time passes. It always uses the time of receipt.

extension Recorder {
    /// Returns a difference of clocks that no sum with a time of receipt overflows.
    static func clampedAhead_ms(_ ahead_ms: Int64) -> Int64 {
        let most_ms = UsageInterval.times.upperBound
        return min(max(ahead_ms, -most_ms), most_ms)
    }

    /// The latest time that an event may have happened at.
    var latest: Timestamp { now + .milliseconds(max(0, clockAhead_ms)) }

    /// Moves the clock on. It costs one comparison per input, and work in proportion to what is due.
    ///
    /// - Parameter isLate: the time is that of something that may have waited since.
    mutating func advance(to time: Timestamp, isLate: Bool = false, _ actions: inout [Action]) {
        now = time
        if beganAt_ms == 0 { beganAt_ms = time.milliseconds }
        catalog.clock.set(time + .milliseconds(min(0, clockAhead_ms)))
        advanceUsage(to: time, isLate: isLate)
        storeUsage(isLast: false, &actions)
        if waiting.count > 0 { endWaits(&actions) }
        if isDue(after: Limits.tick_ms, since: lastTick_ms) {
            lastTick_ms = time.milliseconds
            tick(&actions)
        }
        if isDue(after: Limits.sweep_ms, since: lastSweep_ms) {
            lastSweep_ms = time.milliseconds
            dropSilent(&actions)
            endIdleOrganizations()
        }
    }

    /// Ends waits that took too long. If the settings do not use the database any more, all waits end.
    private mutating func endWaits(_ actions: inout [Action]) {
        guard case .database = settings.organizationSource else { return releaseWaiting(&actions) }
        let latest_ms = (now - Limits.waiting).milliseconds
        // A wait that seems to begin long after now shows that the clock was put back meanwhile.
        let clock_ms = (now + Limits.waiting).milliseconds
        while let name = waiting.longest(since: latest_ms, orAfter: clock_ms) {
            giveUpWaiting(name, .time_out, &actions)
        }
    }

    /// Returns true if the interval has passed, or if the clock was put back by as much. It may go back by less,
    /// because inputs come from several threads.
    private func isDue(after interval_ms: Int64, since last_ms: Int64) -> Bool {
        let (passed_ms, overflow) = now.milliseconds.subtractingReportingOverflow(last_ms)
        return overflow || passed_ms.magnitude >= interval_ms.magnitude
    }

    /// Returns true if a time has come that was set `ahead` of the clock, or if the clock was put back since.
    func hasCome(_ time_ms: Int64, setAhead ahead: Duration) -> Bool {
        time_ms <= now.milliseconds || time_ms > (now + ahead).milliseconds
    }

    private mutating func tick(_ actions: inout [Action]) {
        seen.expire(upTo: now - settings.dedupTTL)
        let oldest = now - Limits.rememberedFor
        endedRooms.expire(upTo: oldest)
        endedParticipants.expire(upTo: oldest)
        endedTracks.expire(upTo: oldest)
        endedEgress.expire(upTo: oldest)
        endedIngress.expire(upTo: oldest)
        let forgotten =
            seen.forgotten + endedRooms.forgotten + endedParticipants.forgotten + endedTracks.forgotten
            + endedEgress.forgotten + endedIngress.forgotten
        if forgotten > idsForgotten {
            process.increment(catalog.idsForgotten, by: Double(forgotten - idsForgotten))
            idsForgotten = forgotten
        }
        visitNames(&actions)
        if !hasEvidence { replaced.removeAll() }
        process.set(catalog.entities, EntityKind.room.ordinal, to: Double(rooms.count))
        process.set(catalog.entities, EntityKind.participant.ordinal, to: Double(participants.count))
        process.set(catalog.entities, EntityKind.track.ordinal, to: Double(tracks.count))
        process.set(catalog.entities, EntityKind.egress.ordinal, to: Double(egress.count))
        process.set(catalog.entities, EntityKind.ingress.ordinal, to: Double(ingress.count))
        process.set(catalog.entities, EntityKind.agent_job.ordinal, to: Double(agentJobs.count))
    }

    // MARK: Room names

    mutating func visitLater(_ name: Slot<RoomNameState>) {
        let due_ms = (now + settings.organizationCacheTTL).milliseconds
        nameChecks.append(RoomNameCheck(name: name, number: names[name].number, due_ms: due_ms))
    }

    /// Refreshes the names with open entities, and forgets those that have long been unused.
    private mutating func visitNames(_ actions: inout [Action]) {
        var refreshes = 0
        while let visit = nameChecks.first, hasCome(visit.due_ms, setAhead: settings.organizationCacheTTL),
            refreshes < Limits.refreshesPerTick
        {
            _ = nameChecks.popFirst()
            if names[visit.name].number != visit.number { continue }
            if mayForget(visit.name, unusedFor: Limits.nameKeptFor) {
                forget(visit.name)
                continue
            }
            visitLater(visit.name)
            guard case .database = settings.organizationSource, case .known = names[visit.name].resolution,
                names[visit.name].isOpen, isRefreshDue(visit.name)
            else { continue }
            refresh(visit.name, &actions)
            refreshes += 1
        }
    }

    private func mayForget(_ name: Slot<RoomNameState>, unusedFor time: Duration) -> Bool {
        !names[name].isOpen && names[name].resolution != .waiting
            && names[name].lastUse_ms <= (now - time).milliseconds
    }

    private mutating func forget(_ name: Slot<RoomNameState>) {
        if case .known(let organization) = names[name].resolution { organizations[organization].names -= 1 }
        names.remove(name)
    }

    /// Forgets a name without open entities if there is one organization for all rooms: then a name is needed only while
    /// something is open under it.
    mutating func forgetIfUnused(_ name: Slot<RoomNameState>) {
        if !fixed.isNone && !names[name].key.isEmpty && !names[name].isOpen { forget(name) }
    }

    /// Forgets a name without open entities early if there are too many names. It looks at only a few, so that it takes
    /// constant time.
    mutating func makeRoomForName() {
        guard names.count >= Limits.names else { return }
        for _ in 0..<8 {
            guard let visit = nameChecks.popFirst() else { return }
            if names[visit.name].number != visit.number { continue }
            if mayForget(visit.name, unusedFor: .zero) {
                forget(visit.name)
                return process.increment(catalog.namesForgotten)
            }
            visitLater(visit.name)
        }
    }

    // MARK: Silence

    /// Drops rooms and jobs without an event for `stateMaxSilence`, without observing them. They ended with their last
    /// event, and a later beginning brings them back.
    private mutating func dropSilent(_ actions: inout [Action]) {
        let silent_ms = (now - settings.stateMaxSilence).milliseconds
        for place in 0..<rooms.places_count {
            let slot = rooms.slot(at: place)
            if slot.isNone || rooms[slot].received_ms > silent_ms { continue }
            for member in rooms[slot].participants {
                let dropped = participants[member].tracks.count
                if dropped > 0 {
                    process.increment(catalog.entitiesDropped, EntityKind.track.ordinal, by: Double(dropped))
                }
                if participants[member].hasJoined {
                    process.increment(catalog.entitiesDropped, EntityKind.participant.ordinal)
                }
            }
            process.increment(catalog.entitiesDropped, EntityKind.room.ordinal)
            closeRoom(slot, Ending(facts: Facts(isClosed: tellsLives)), &actions)
        }
        for kind in JobKind.allCases { dropSilentJobs(kind, silent_ms) }
    }

    private mutating func dropSilentJobs(_ kind: JobKind, _ silent_ms: Int64) {
        for place in 0..<self[jobs: kind].places_count {
            let slot = self[jobs: kind].slot(at: place)
            if slot.isNone { continue }
            if tellsLives && self[jobs: kind][slot].roomSID.isEmpty {
                self[jobs: kind][slot].roomSID = newestRoom(of: self[jobs: kind][slot].name)
            }
            if self[jobs: kind][slot].received_ms > silent_ms { continue }
            if isRoomOpen(of: self[jobs: kind][slot], silent_ms) { continue }
            process.increment(catalog.entitiesDropped, kind.entity.ordinal)
            closeJob(kind, slot, self[jobs: kind][slot].facts)
        }
    }

    /// Returns true if a silent job stays open because its own room is open. Later rooms of the same name are not its
    /// own.
    private func isRoomOpen(of job: JobState, _ silent_ms: Int64) -> Bool {
        if job.name.isNone { return false }
        if !tellsLives { return names[job.name].lastEvent_ms > silent_ms }
        return !job.roomSID.isEmpty && !rooms.find(job.roomSID).isNone
    }

    // MARK: Organizations

    /// Ends the event-driven series of idle organizations, and forgets organizations that have nothing else.
    private mutating func endIdleOrganizations() {
        let idle_ms = (now - settings.seriesTTL).milliseconds
        for place in 0..<organizations.places_count {
            let slot = organizations.slot(at: place)
            if slot.isNone || organizations[slot].entities > 0 || organizations[slot].lastEvent_ms > idle_ms {
                continue
            }
            if organizations[slot].hasEventSeries {
                catalog.end(.events, in: &organizations[slot].series)
                endUsageSeries(of: slot)
                organizations[slot].sparse.end(catalog, organizations[slot].prefix)
                organizations[slot].hasEventSeries = false
            }
            let isNeeded = organizations[slot].names > 0 || organizations[slot].isShown
            if !isNeeded && slot != unknown && slot != fixed { organizations.remove(slot) }
        }
    }
}
