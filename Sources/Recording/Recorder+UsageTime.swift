import LiveKit
import Metrics
import Storage
import Wire

// The clock of usage, gaps, readings and rows. Specification, *Usage*.

extension Recorder {
    // MARK: The clock

    /// Moves the clock of usage on. It is the time of receipt, and passes only while inputs come: a longer time without
    /// one is a gap in which this program was down.
    ///
    /// - Parameter isLate: an event may have waited for its commit, while the time was told on.
    mutating func advanceUsage(to time: Timestamp, isLate: Bool = false) {
        let time_ms = max(1, UsageInterval.clamped(time.milliseconds))
        if usage.now_ms == 0 { return setUsageClock(to: time_ms) }
        let passed_ms = time_ms - usage.now_ms
        // Inputs come from several threads, so that the time may go back a little.
        if passed_ms <= 0 && passed_ms >= -(isLate ? Limits.usageLate_ms : Limits.usageGap_ms) { return }
        if passed_ms > 0 && passed_ms <= Limits.usageGap_ms { return passUsage(until: time_ms) }
        if passed_ms > 0 { passUsage(until: usage.now_ms + Limits.usageGap_ms) }
        freezeUsage()
        settleUsage()
        usage.lag_ms = nil
        setUsageClock(to: time_ms)
    }

    private mutating func setUsageClock(to time_ms: Int64) {
        usage.now_ms = time_ms
        usage.day = UsageInterval.day(of: time_ms)
    }

    /// Lets time pass that is shorter than a day.
    private mutating func passUsage(until time_ms: Int64) {
        let midnight_ms = Int64(usage.day + 1) * UsageInterval.day_ms
        if time_ms >= midnight_ms {
            usage.now_ms = midnight_ms
            settleUsage()
            usage.day += 1
            usage.lastRows_ms = 0
        }
        usage.now_ms = time_ms
    }

    /// Notes LiveKit's clock by an event that has just come.
    mutating func noteLag(_ context: EventContext) {
        guard context.created_ms > 0 else { return }
        let lag_ms = max(0, usage.now_ms - context.created_ms)
        usage.lag_ms = min(usage.lag_ms ?? lag_ms, lag_ms)
    }

    // MARK: Gaps

    /// Lets everything that is open stand still. It costs as much as everything that is open, once for each gap.
    private mutating func freezeUsage() {
        guard usage.open > usage.standing else { return }
        for place in 0..<organizations.places_count {
            let slot = organizations.slot(at: place)
            if slot.isNone { continue }
            for index in organizations[slot].usage.series.indices {
                organizations[slot].usage.series[index].freeze(at: usage.now_ms)
            }
        }
        let now_ms = usage.now_ms
        for place in 0..<participants.places_count where !participants.slot(at: place).isNone {
            participants[participants.slot(at: place)].usage.freeze(at: now_ms)
        }
        for place in 0..<tracks.places_count where !tracks.slot(at: place).isNone {
            tracks[tracks.slot(at: place)].usage.freeze(at: now_ms)
        }
        for kind in JobKind.allCases {
            for place in 0..<self[jobs: kind].places_count where !self[jobs: kind].slot(at: place).isNone {
                self[jobs: kind][self[jobs: kind].slot(at: place)].usage.freeze(at: now_ms)
            }
        }
        usage.standing = usage.open
    }

    /// Lets a use go on that something has shown to be there.
    ///
    /// - Parameter proved_ms: the time by LiveKit's clock at which it was there; nil if that is not known.
    private mutating func wake(
        _ share: inout UsageShare, _ keys: UsageKeys, in organization: Slot<OrganizationState>, at proved_ms: Int64?
    ) {
        guard share.isOpen, share.isStanding || share.isBehind && proved_ms != nil else { return }
        let old = share
        var length_ms = share.length_ms(at: usage.now_ms)
        if let proved_ms, share.start_ms > 0,
            case .plausible = DurationRule.between(share.start_ms, proved_ms)
        {
            length_ms = max(length_ms, proved_ms - share.start_ms - share.moved_ms)
        }
        if share.isStanding { usage.standing -= 1 }
        share.standing_ms = -1
        share.opened_ms = usage.now_ms - length_ms
        share.isBehind = proved_ms == nil
        guard share != old else { return }
        for key in [keys.first, keys.second].compactMap({ $0 }) {
            let place = series(key, of: organization)
            organizations[organization].usage.series[place].leave(old)
            organizations[organization].usage.series[place].enter(share)
            rewrite(key, organization, from: old.rows(at: usage.now_ms), to: share.rows(at: usage.now_ms))
        }
    }

    /// Notes that an event of a participant shows that it is there.
    mutating func wake(_ slot: Slot<ParticipantState>, _ context: EventContext) {
        wake(slot, at: context.proof_ms)
    }

    private mutating func wake(_ slot: Slot<ParticipantState>, at proved_ms: Int64?) {
        guard participants[slot].usage.mayWake else { return }
        var share = participants[slot].usage
        let organization = rooms[participants[slot].room].organization
        wake(&share, usageKeys(of: slot, in: organization), in: organization, at: proved_ms)
        participants[slot].usage = share
    }

    mutating func wake(_ slot: Slot<TrackState>, at proved_ms: Int64?) {
        guard tracks[slot].usage.mayWake else { return }
        var share = tracks[slot].usage
        wake(&share, UsageKeys(.track(label: tracks[slot].label)), in: organization(of: slot), at: proved_ms)
        tracks[slot].usage = share
    }

    mutating func wake(_ kind: JobKind, _ slot: Slot<JobState>, at proved_ms: Int64?) {
        guard self[jobs: kind][slot].usage.mayWake else { return }
        var share = self[jobs: kind][slot].usage
        let organization = self[jobs: kind][slot].organization
        wake(&share, usageKeys(of: kind, slot), in: organization, at: proved_ms)
        self[jobs: kind][slot].usage = share
    }

    /// Lets everything go on that a poll has seen. It costs nothing unless something stands still, or goes on without the
    /// time of a gap because LiveKit's clock was not known yet.
    mutating func wakeSeen() {
        guard usage.standing > 0 || usage.isBehind && usage.lag_ms != nil else { return }
        usage.isBehind = usage.lag_ms == nil
        let proved_ms = usage.lag_ms.map { usage.now_ms - $0 }
        for place in 0..<rooms.places_count {
            let room = rooms.slot(at: place)
            if room.isNone || rooms[room].listed_ms > 0 || rooms[room].agreed_ms > 0 { continue }
            for member in rooms[room].participants {
                wake(member, at: proved_ms)
                for track in participants[member].tracks { wake(track, at: proved_ms) }
            }
        }
        for kind in [JobKind.egress, .ingress] {
            for place in 0..<self[jobs: kind].places_count {
                let slot = self[jobs: kind].slot(at: place)
                if slot.isNone || self[jobs: kind][slot].listed_ms > 0 { continue }
                wake(kind, slot, at: proved_ms)
            }
        }
    }

    // MARK: Readings

    /// Reads all usage series. What is read is an input's effect, so that a replay shows what was shown.
    mutating func readUsage() {
        usage.isUnread = false
        var ahead_ms = [Int64](repeating: 0, count: UsageKind.allCases.count)
        for place in 0..<organizations.places_count {
            let slot = organizations.slot(at: place)
            if slot.isNone { continue }
            for index in organizations[slot].usage.series.indices {
                Self.read(
                    &organizations[slot].usage.series[index], at: usage.now_ms, into: &usage.reading, &ahead_ms)
            }
        }
        for kind in UsageKind.allCases where ahead_ms[kind.ordinal] > 0 || usage.hasShownAhead {
            process.set(catalog.usageAhead, kind.ordinal, to: Double(ahead_ms[kind.ordinal]) / 1_000)
            usage.hasShownAhead = true
        }
    }

    private static func read(
        _ series: inout UsageSeries, at now_ms: Int64, into reading: inout UsageReading, _ ahead_ms: inout [Int64]
    ) {
        // An end from before the series began may have been corrected to less time. This series does not pay for it.
        series.origin_ms += min(0, series.sum_ms(at: now_ms) - series.origin_ms)
        series.billedOrigin += min(0, series.billed - series.billedOrigin)
        let sum_ms = series.sum_ms(at: now_ms) - series.origin_ms
        if sum_ms > series.shown_ms {
            series.shown_ms = sum_ms
            series.uncertain_ms = 0
            if let counter = series.counter { reading.note(counter, total: Double(sum_ms) / 1_000) }
        } else {
            ahead_ms[series.key.kind.ordinal] += series.shown_ms - sum_ms
        }
        let billed = series.billed - series.billedOrigin
        if billed > series.billedShown {
            series.billedShown = billed
            if let counter = series.billedCounter { reading.note(counter, total: Double(billed)) }
        }
    }

    /// Takes the totals that were read since the last call. They may be published when the inputs so far are durable.
    package mutating func takeUsageReading() -> UsageReading {
        defer { usage.reading = UsageReading() }
        return usage.reading
    }

    /// A reading would find more than the last one: something is open, or has ended since.
    package var hasUnreadUsage: Bool { usage.isUnread || usage.open > usage.standing }

    // MARK: Rows

    /// Makes the rows of usage if they are due.
    mutating func storeUsage(isLast: Bool, _ actions: inout [Action]) {
        let (passed_ms, overflow) = usage.now_ms.subtractingReportingOverflow(usage.lastRows_ms)
        guard tellsUsage, usage.now_ms > 0, isLast || overflow || passed_ms.magnitude >= Limits.usageRows_ms.magnitude
        else { return }
        usage.lastRows_ms = usage.now_ms
        settleUsage()
        process.set(catalog.usageRowsWaiting, to: usage.isTableUsable ? 0 : Double(usage.rows.count))
        if usage.lostRows > 0 {
            process.increment(catalog.usageRowsLost, by: Double(usage.lostRows))
            usage.lostRows = 0
        }
        forgetEstimates()
        guard usage.isTableUsable else { return }
        for (key, amount) in usage.orderedRows {
            let row = UsageRow(
                owner: key.owner, day: CivilDate(daysSinceEpoch: key.day), usage: key.usage,
                duration_ms: amount.length_ms, count: amount.count, billed_minutes: amount.billed_minutes)
            actions.append(.store(.usage(row)))
        }
        usage.rows.removeAll(keepingCapacity: true)
    }

    /// Turns what passed today into amounts for rows.
    private mutating func settleUsage() {
        for place in 0..<organizations.places_count {
            let slot = organizations.slot(at: place)
            if slot.isNone || organizations[slot].usage.series.isEmpty { continue }
            settleUsage(of: slot)
        }
    }

    private mutating func settleUsage(of slot: Slot<OrganizationState>) {
        let owner = owner(slot)
        for index in organizations[slot].usage.series.indices {
            let amount = organizations[slot].usage.series[index].takeUnwritten(at: usage.now_ms)
            guard !amount.isZero, let owner else { continue }
            let text = organizations[slot].usage.series[index].key.text(organizations[slot].sparse.agents)
            usage.add(amount, to: UsageRowKey(owner: owner, day: usage.day, usage: text))
        }
    }

    private mutating func forgetEstimates() {
        let oldest_ms = (now - Limits.rememberedFor).milliseconds
        guard !usage.estimates.isEmpty else { return }
        usage.estimates = usage.estimates.filter { $0.value.madeAt_ms > oldest_ms }
    }

    /// Ends the usage series of an organization that is idle. What they had shown too much stays uncertain.
    mutating func endUsageSeries(of slot: Slot<OrganizationState>) {
        settleUsage(of: slot)
        for series in organizations[slot].usage.series {
            let ahead_ms = series.ahead_ms(at: usage.now_ms) - series.uncertain_ms
            if ahead_ms > 0 {
                process.increment(catalog.usageUncertain, series.key.kind.ordinal, by: Double(ahead_ms) / 1_000)
            }
            let values = organizations[slot].prefix + series.key.values(organizations[slot].sparse.agents)
            catalog.usageSeconds(series.key.kind).end(values)
            catalog.usageActive(series.key.kind)?.end(values)
            if series.key.kind == .connection { catalog.billedMinutes.end(values) }
        }
        organizations[slot].usage = UsageLedger()
    }
}

extension UsageShare {
    /// It stands still, or goes on without the time of a gap.
    fileprivate var mayWake: Bool { isOpen && (isStanding || isBehind) }

    mutating func freeze(at now_ms: Int64) {
        if isOpen && !isStanding { standing_ms = now_ms - opened_ms }
    }
}

extension EventContext {
    /// The time by LiveKit's clock at which the event shows that its entity is there.
    var proof_ms: Int64 { created_ms > 0 ? min(created_ms, latest.milliseconds) : receivedAt.milliseconds }
}
