import LiveKit
import Metrics

// Usage after a restart, and its check.

extension Recorder {
    /// Calls `body` with every open share, its organization and its series.
    private mutating func forEachShare(
        _ body: (inout Recorder, inout UsageShare, UsageKeys, Slot<OrganizationState>) -> Void
    ) {
        for (slot, participant) in participants.all where participant.hasJoined {
            let organization = rooms[participant.room].organization
            var share = participant.usage
            body(&self, &share, usageKeys(of: slot, in: organization), organization)
            participants[slot].usage = share
        }
        for (slot, track) in tracks.all {
            var share = track.usage
            body(&self, &share, UsageKeys(.track(label: track.label)), organization(of: slot))
            tracks[slot].usage = share
        }
        for kind in JobKind.allCases {
            for (slot, job) in self[jobs: kind].all where !job.isPending {
                var share = job.usage
                body(&self, &share, usageKeys(of: kind, slot), job.organization)
                self[jobs: kind][slot].usage = share
            }
        }
    }

    /// Puts what is open into its series.
    ///
    /// - Parameters:
    ///   - isSaved: false in a state of a program that counted no usage. Then everything that is open counts from now,
    ///     and its end adds the time before.
    ///   - keepsSeries: false if the counters begin at 0.
    ///   - keepsTotals: false if what was made of later inputs is not known. Then it is not made again.
    mutating func countUsage(isSaved: Bool, keepsSeries: Bool, keepsTotals: Bool) {
        if !isSaved { advanceUsage(to: now) }
        (usage.open, usage.standing) = (0, 0)
        // Only damaged bytes say that these count.
        for (slot, participant) in participants.all where !participant.hasJoined {
            participants[slot].usage = UsageShare()
        }
        for (slot, job) in agentJobs.all where job.isPending { agentJobs[slot].usage = UsageShare() }
        forEachShare { recorder, share, keys, organization in
            if !isSaved {
                share.isOpen = true
                share.opened_ms = recorder.usage.now_ms
            }
            guard share.isOpen else { return }
            if !share.isStanding { share.opened_ms = min(share.opened_ms, recorder.usage.now_ms) }
            recorder.usage.open += 1
            if share.isStanding { recorder.usage.standing += 1 }
            recorder.enter(share, keys, organization)
        }
        if !isSaved { noteStarts() }
        for (slot, job) in agentJobs.all where job.isPending { adjustPending(slot, by: 1) }
        if !keepsSeries { startUsageAtZero() }
        if keepsTotals { return }
        for place in 0..<organizations.places_count {
            let slot = organizations.slot(at: place)
            if slot.isNone { continue }
            for index in organizations[slot].usage.series.indices {
                _ = organizations[slot].usage.series[index].takeUnwritten(at: usage.now_ms)
            }
        }
        if usage.isTableUsable { usage.rows = [:] }
    }

    /// Gives the shares the starts that the state knows.
    private mutating func noteStarts() {
        for (slot, participant) in participants.all { participants[slot].usage.start_ms = participant.join_ms }
        for (slot, track) in tracks.all { tracks[slot].usage.start_ms = track.began_s * 1_000 }
        for kind in JobKind.allCases {
            for (slot, job) in self[jobs: kind].all { self[jobs: kind][slot].usage.start_ms = job.start_ms ?? 0 }
        }
    }

    /// Begins the counters of usage at 0.
    mutating func startUsageAtZero() {
        for place in 0..<organizations.places_count {
            let slot = organizations.slot(at: place)
            if slot.isNone { continue }
            for index in organizations[slot].usage.series.indices {
                organizations[slot].usage.series[index].startAtZero(at: usage.now_ms)
            }
        }
        usage.reading = UsageReading()
    }

    /// Checks that the series hold what is open.
    func checkUsage() -> [String] {
        var faults: [String] = []
        var copy = self
        var sums: [UsagePlace: UsageSeries] = [:]
        var (open, standing) = (0, 0)
        copy.forEachShare { _, share, keys, organization in
            guard share.isOpen else {
                faults.append("something open does not count its time")
                return
            }
            open += 1
            if share.isStanding { standing += 1 }
            keys.forEach { key in
                let place = UsagePlace(organization: organization, key: key)
                var sum = sums[place] ?? UsageSeries(key)
                sum.enter(share)
                sums[place] = sum
            }
        }
        if usage.open != open || usage.standing != standing { faults.append("\(open) shares are open") }
        for (slot, organization) in organizations.all {
            for series in organization.usage.series {
                let sum =
                    sums.removeValue(forKey: UsagePlace(organization: slot, key: series.key))
                    ?? UsageSeries(series.key)
                let isSame =
                    series.running == sum.running && series.openings_ms == sum.openings_ms
                    && series.standing == sum.standing && series.standing_ms == sum.standing_ms
                if !isSame { faults.append("\(organization.key): \(series.key) holds other shares") }
                if let gauge = series.gauge, gauge.value != Double(series.open) {
                    faults.append("\(organization.key): the gauge of \(series.key) is wrong")
                }
            }
        }
        if !sums.isEmpty { faults.append("shares are in no series") }
        return faults
    }

    private struct UsagePlace: Hashable {
        let organization: Slot<OrganizationState>
        let key: UsageKey
    }
}
