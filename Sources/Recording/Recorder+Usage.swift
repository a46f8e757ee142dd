import LiveKit
import Metrics
import Storage
import Wire

// Usage: time that is counted while it passes. A series shows the larger of what it showed before and the exact time of
// what has ended plus the time since the receipt of what is open. Specification, *Usage*.

extension Recorder {
    // MARK: Opening

    /// Begins to count a use.
    ///
    /// - Parameters:
    ///   - start_ms: the start that the payload tells; 0 if unknown.
    ///   - received_ms: the receipt of its opening. An event may have waited for its organization since.
    ///   - id: the fingerprint under which an estimate is remembered, if the same use may have ended unseen. Then it goes
    ///     on with what was estimated.
    mutating func openUsage(
        _ keys: UsageKeys, in organization: Slot<OrganizationState>, start_ms: Int64, received_ms: Int64,
        id: Fingerprint? = nil
    ) -> UsageShare {
        var share = UsageShare()
        share.isOpen = true
        share.start_ms = UsageInterval.clamped(start_ms)
        let longest_ms = usage.now_ms - Limits.waiting.milliseconds
        share.opened_ms = min(max(received_ms, longest_ms), usage.now_ms)
        usage.open += 1
        if let id, let known = usage.estimates.removeValue(forKey: id) {
            takeBack(known, keys, organization, into: &share)
        }
        enter(share, keys, organization)
        keys.forEach { key in
            rewrite(key, organization, from: .zero, to: share.rows(at: usage.now_ms))
        }
        return share
    }

    /// Lets a use go on that seemed to have ended. What was estimated belongs to what is open again; where another
    /// organization has a part of it, it stays there.
    private mutating func takeBack(
        _ known: UsageEstimate, _ keys: UsageKeys, _ organization: Slot<OrganizationState>, into share: inout UsageShare
    ) {
        let isWhole = known.moved_ms == 0 && !known.isContinued && known.roomName.isEmpty
        guard isWhole, known.organization == organizations[organization].key else {
            share.moved_ms = known.whole.length_ms
            share.isContinued = known.isContinued || !takeBackEnd(known)
            return
        }
        share.start_ms = known.whole.start_ms
        share.opened_ms -= known.whole.length_ms
        keys.forEach { key in
            let place = series(key, of: organization)
            organizations[organization].usage.series[place].ended_ms -= known.whole.length_ms
            rewrite(key, organization, from: known.whole, to: .zero)
            bill(key, organization, -Self.billedMinutes(known.whole), ends: -1, on: known.whole.end_ms)
        }
    }

    /// Takes back that a use has ended: its end will be counted and billed as a whole. Returns false if the organization
    /// that counted it is not known any more.
    private mutating func takeBackEnd(_ known: UsageEstimate) -> Bool {
        let home = organizations.find(known.organization)
        if home.isNone { return false }
        keys(of: known, in: home).forEach { key in
            if home == unknown && !known.roomName.isEmpty {
                bill(ofRoom: known.roomName, key, known.rows(of: known.whole), sign: -1)
            } else {
                bill(key, home, -Self.billedMinutes(known.whole), ends: -1, on: known.whole.end_ms)
            }
        }
        return true
    }

    /// Returns the series in which an estimate is.
    private mutating func keys(of known: UsageEstimate, in home: Slot<OrganizationState>) -> UsageKeys {
        guard let name = known.agentName else { return known.keys }
        let agent = UsageKey.agent(agentPlace(name, of: home))
        return known.keys.first.kind == .agent ? UsageKeys(agent) : UsageKeys(known.keys.first, agent)
    }

    mutating func enter(_ share: UsageShare, _ keys: UsageKeys, _ organization: Slot<OrganizationState>) {
        keys.forEach { key in
            let place = series(key, of: organization)
            organizations[organization].usage.series[place].enter(share)
            showOpen(place, of: organization)
        }
    }

    private mutating func leave(_ share: UsageShare, _ keys: UsageKeys, _ organization: Slot<OrganizationState>) {
        keys.forEach { key in
            let place = series(key, of: organization)
            organizations[organization].usage.series[place].leave(share)
            showOpen(place, of: organization)
        }
    }

    /// Returns the place of a series, and makes it on first use.
    mutating func series(_ key: UsageKey, of organization: Slot<OrganizationState>) -> Int {
        usage.isUnread = true
        var place = organizations[organization].usage.find(key) ?? -1
        if place < 0 {
            place = organizations[organization].usage.series.count
            organizations[organization].usage.series.append(UsageSeries(key))
            organizations[organization].hasEventSeries = true
        }
        // A registry that was full may have room now.
        if organizations[organization].usage.series[place].counter == nil { makeCounters(place, of: organization) }
        return place
    }

    private mutating func makeCounters(_ place: Int, of organization: Slot<OrganizationState>) {
        let key = organizations[organization].usage.series[place].key
        let values = organizations[organization].prefix + key.values(organizations[organization].sparse.agents)
        let series = organizations[organization].usage.series[place]
        let counter = catalog.usageSeconds(key.kind).instrument(values)
        organizations[organization].usage.series[place].counter = counter
        if let counter, series.shown_ms > 0 { usage.reading.note(counter, total: Double(series.shown_ms) / 1_000) }
        guard key.kind == .connection else { return }
        let billed = catalog.billedMinutes.instrument(values)
        organizations[organization].usage.series[place].billedCounter = billed
        if let billed, series.billedShown > 0 { usage.reading.note(billed, total: Double(series.billedShown)) }
    }

    /// Shows the number open, where this is the gauge of its kind.
    private mutating func showOpen(_ place: Int, of organization: Slot<OrganizationState>) {
        let series = organizations[organization].usage.series[place]
        guard let metric = catalog.usageActive(series.key.kind) else { return }
        if let gauge = series.gauge { return gauge.set(Double(series.open)) }
        let values = organizations[organization].prefix + series.key.values(organizations[organization].sparse.agents)
        let gauge = metric.instrument(values)
        organizations[organization].usage.series[place].gauge = gauge
        gauge?.set(Double(series.open))
    }

    // MARK: Ending

    /// Ends an open use. Does nothing if it is not open.
    ///
    /// - Parameters:
    ///   - id: the fingerprint under which an estimate is remembered.
    ///   - roomName: the name of its room, if the organization of the room could not be looked up.
    mutating func endUsage(
        _ share: inout UsageShare, _ keys: UsageKeys, in organization: Slot<OrganizationState>, _ end: UsageEnd,
        id: Fingerprint, roomName: String? = nil
    ) {
        guard share.isOpen else { return }
        let held_ms = share.length_ms(at: usage.now_ms)
        let counted = UsageInterval(
            start_ms: share.opened_ms - share.moved_ms, length_ms: held_ms + share.moved_ms)
        var whole = counted
        var isExact = true
        switch end {
        case .exact(let told): whole = told ?? counted
        case .estimated(let evidence_ms):
            isExact = false
            whole = estimate(share, counted, evidence_ms)
        }
        leave(share, keys, organization)
        usage.open -= 1
        if share.isStanding { usage.standing -= 1 }
        let use = EndedUse(
            whole: whole, moved_ms: share.moved_ms, isContinued: share.isContinued, organization: organization)
        keys.forEach { key in
            add(key, use, from: share.rows(at: usage.now_ms), to: share.rows(of: whole), roomName: roomName)
            if !isExact && counted.length_ms > whole.length_ms {
                let rest_ms = counted.length_ms - whole.length_ms
                process.increment(catalog.usageUncertain, key.kind.ordinal, by: Double(rest_ms) / 1_000)
                let place = series(key, of: organization)
                organizations[organization].usage.series[place].uncertain_ms += rest_ms
            }
        }
        if !isExact {
            remember(use, share, keys, id, roomName: roomName)
        } else if !usage.estimates.isEmpty {
            // An estimate of an earlier life is not replaced any more.
            usage.estimates[id] = nil
        }
        share = UsageShare()
    }

    /// Takes back what an open recording has counted.
    mutating func endUsage(withoutTraceOf slot: Slot<JobState>) {
        let share = egress[slot].usage
        guard share.isOpen else { return }
        let keys = usageKeys(of: .egress, slot)
        leave(share, keys, egress[slot].organization)
        rewrite(keys.first, egress[slot].organization, from: share.rows(at: usage.now_ms), to: .zero)
        usage.open -= 1
        if share.isStanding { usage.standing -= 1 }
        egress[slot].usage = UsageShare()
    }

    /// Returns the time up to the last evidence of a use.
    private func estimate(_ share: UsageShare, _ counted: UsageInterval, _ evidence_ms: Int64) -> UsageInterval {
        // Events tell times that have not come yet, where a clock is wrong.
        let evidence_ms = min(evidence_ms, latest.milliseconds)
        guard share.start_ms > 0, let whole = UsageInterval.between(share.start_ms, evidence_ms) else { return counted }
        return UsageInterval(start_ms: whole.start_ms, length_ms: max(whole.length_ms, share.moved_ms))
    }

    /// Adds a use whose opening was not seen, or whose end was estimated before: then it takes the place of the
    /// estimate.
    mutating func addUsage(
        _ keys: UsageKeys, in organization: Slot<OrganizationState>, _ whole: UsageInterval, id: Fingerprint,
        roomName: String? = nil
    ) {
        guard let known = usage.estimates.removeValue(forKey: id) else {
            let use = EndedUse(whole: whole, moved_ms: 0, isContinued: false, organization: organization)
            keys.forEach { add($0, use, from: .zero, to: whole, roomName: roomName) }
            return
        }
        let slot = organizations.find(known.organization)
        let home = slot.isNone ? organization : slot
        self.keys(of: known, in: home).forEach { key in
            let place = series(key, of: home)
            organizations[home].usage.series[place].ended_ms += whole.length_ms - known.whole.length_ms
            if home == unknown && !known.roomName.isEmpty {
                addRows(ofRoom: known.roomName, key, known.rows(of: known.whole), sign: -1, known.isContinued)
                return addRows(ofRoom: known.roomName, key, known.rows(of: whole), sign: 1, known.isContinued)
            }
            rewrite(key, home, from: known.rows(of: known.whole), to: known.rows(of: whole))
            guard !known.isContinued else { return }
            bill(key, home, -Self.billedMinutes(known.whole), ends: -1, on: known.whole.end_ms)
            bill(key, home, Self.billedMinutes(whole), ends: 1, on: whole.end_ms)
        }
    }

    /// A use that has ended, as far as its organization counts it.
    private struct EndedUse {
        let whole: UsageInterval
        let moved_ms: Int64
        let isContinued: Bool
        let organization: Slot<OrganizationState>
    }

    private mutating func add(
        _ key: UsageKey, _ use: EndedUse, from old: UsageInterval, to new: UsageInterval, roomName: String?
    ) {
        let place = series(key, of: use.organization)
        organizations[use.organization].usage.series[place].ended_ms += use.whole.length_ms - use.moved_ms
        if use.organization == unknown, let roomName {
            return addRows(ofRoom: roomName, key, new, sign: 1, use.isContinued)
        }
        rewrite(key, use.organization, from: old, to: new)
        guard !use.isContinued else { return }
        bill(key, use.organization, Self.billedMinutes(use.whole), ends: 1, on: use.whole.end_ms)
    }

    /// Adds a use to the rows of a room whose organization the database will tell later, or takes it back.
    private mutating func addRows(
        ofRoom name: String, _ key: UsageKey, _ whole: UsageInterval, sign: Int64, _ isContinued: Bool
    ) {
        let text = key.text(organizations[unknown].sparse.agents)
        whole.forEachDay { day, length_ms in
            usage.add(
                UsageAmount(length_ms: sign * length_ms),
                to: UsageRowKey(owner: .room(name: name), day: day, usage: text))
        }
        if !isContinued { bill(ofRoom: name, key, whole, sign: sign) }
    }

    /// Counts the end of a use of such a room, or takes it back.
    private mutating func bill(ofRoom name: String, _ key: UsageKey, _ whole: UsageInterval, sign: Int64) {
        let minutes = key.kind == .connection ? sign * Self.billedMinutes(whole) : 0
        let place = series(key, of: unknown)
        organizations[unknown].usage.series[place].billed += minutes
        usage.add(
            UsageAmount(count: sign, billed_minutes: minutes),
            to: UsageRowKey(
                owner: .room(name: name), day: UsageInterval.day(of: whole.end_ms),
                usage: key.text(organizations[unknown].sparse.agents)))
    }

    /// Counts ended uses and billed minutes on a day.
    private mutating func bill(
        _ key: UsageKey, _ organization: Slot<OrganizationState>, _ minutes: Int64, ends: Int64, on end_ms: Int64
    ) {
        let place = series(key, of: organization)
        let billed = key.kind == .connection ? minutes : 0
        organizations[organization].usage.series[place].billed += billed
        let day = UsageInterval.day(of: end_ms)
        if day == usage.day {
            organizations[organization].usage.series[place].ends += ends
            organizations[organization].usage.series[place].billedToday += billed
        } else if let owner = owner(organization) {
            let text = key.text(organizations[organization].sparse.agents)
            usage.add(
                UsageAmount(count: ends, billed_minutes: billed),
                to: UsageRowKey(owner: owner, day: day, usage: text))
        }
    }

    private static func billedMinutes(_ whole: UsageInterval) -> Int64 { (max(0, whole.length_ms) + 59_999) / 60_000 }

    private mutating func remember(
        _ use: EndedUse, _ share: UsageShare, _ keys: UsageKeys, _ id: Fingerprint, roomName: String?
    ) {
        guard usage.estimates.count < Limits.usageEstimates else { return }
        var agentName: String?
        keys.forEach { key in
            if key.kind == .agent { agentName = key.values(organizations[use.organization].sparse.agents)[0] }
        }
        usage.estimates[id] = UsageEstimate(
            keys: keys, agentName: agentName, organization: organizations[use.organization].key,
            roomName: use.organization == unknown ? roomName ?? "" : "", whole: use.whole, moved_ms: use.moved_ms,
            notInRows_ms: use.moved_ms - share.early_ms, isContinued: use.isContinued, madeAt_ms: usage.now_ms)
    }

    // MARK: Rows of other days

    /// Changes the time that a use has in the rows. Time of today needs no note: it is the difference between the sum of
    /// the series and what was written.
    mutating func rewrite(
        _ key: UsageKey, _ organization: Slot<OrganizationState>, from old: UsageInterval, to new: UsageInterval
    ) {
        let today_ms = Int64(usage.day) * UsageInterval.day_ms
        let isToday = { (interval: UsageInterval) in
            interval.length_ms == 0
                || interval.start_ms >= today_ms && interval.start_ms < today_ms + UsageInterval.day_ms
                    && interval.end_ms <= today_ms + UsageInterval.day_ms
        }
        guard !(isToday(old) && isToday(new)), let owner = owner(organization) else { return }
        old.forEachDay { move($0, -$1, key, organization, owner) }
        new.forEachDay { move($0, $1, key, organization, owner) }
    }

    private mutating func move(
        _ day: Int, _ length_ms: Int64, _ key: UsageKey, _ organization: Slot<OrganizationState>, _ owner: RowOwner
    ) {
        guard day != usage.day else { return }
        let place = series(key, of: organization)
        organizations[organization].usage.series[place].written_ms += length_ms
        let text = key.text(organizations[organization].sparse.agents)
        usage.add(UsageAmount(length_ms: length_ms), to: UsageRowKey(owner: owner, day: day, usage: text))
    }

    // MARK: Another organization

    /// Moves an open use to another organization. The old one keeps what it has counted so far.
    mutating func moveUsage(
        _ share: inout UsageShare, from old: Slot<OrganizationState>, _ oldKeys: UsageKeys,
        to new: Slot<OrganizationState>, _ newKeys: UsageKeys
    ) {
        guard share.isOpen else { return }
        let held_ms = share.length_ms(at: usage.now_ms)
        leave(share, oldKeys, old)
        oldKeys.forEach { key in
            let place = series(key, of: old)
            organizations[old].usage.series[place].ended_ms += held_ms
        }
        share.moved_ms += held_ms
        share.opened_ms = usage.now_ms
        if share.isStanding { share.standing_ms = 0 }
        // `unknown` has no rows: what passed under it is this organization's.
        share.early_ms = old == unknown ? share.early_ms + held_ms : 0
        enter(share, newKeys, new)
        guard share.early_ms > 0 else { return }
        let rows = share.rows(at: usage.now_ms)
        newKeys.forEach { key in
            rewrite(key, new, from: .zero, to: rows)
            let place = series(key, of: new)
            organizations[new].usage.series[place].written_ms -= rows.length_ms
        }
    }

    /// Moves the usage of everything in an open room, before the room itself moves.
    mutating func moveUsage(of room: Slot<RoomState>, to new: Slot<OrganizationState>) {
        let old = rooms[room].organization
        for member in rooms[room].participants {
            var share = participants[member].usage
            if share.isOpen {
                moveUsage(&share, from: old, usageKeys(of: member, in: old), to: new, usageKeys(of: member, in: new))
                participants[member].usage = share
            }
            for track in participants[member].tracks {
                let keys = UsageKeys(.track(label: tracks[track].label))
                var share = tracks[track].usage
                moveUsage(&share, from: old, keys, to: new, keys)
                tracks[track].usage = share
            }
        }
    }
}
