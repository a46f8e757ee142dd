import Storage
package import Wire

// Saving. `proto/journal.proto` describes the format.

extension Recorder {
    /// The version of the saved form. A new field needs no new version: an absent field is zero, an unknown one is
    /// skipped.
    static let stateVersion: UInt64 = 1

    /// The remembered ids, in the order of the kinds of `IDSegment`.
    static var remembered: [WritableKeyPath<Recorder, RememberedIDs>] {
        [\.seen, \.endedRooms, \.endedParticipants, \.endedTracks, \.endedEgress, \.endedIngress]
    }

    /// Appends the whole state and all counts, except remembered ids.
    ///
    /// A recorder that is restored from it and from all segments of ids behaves the same on the same further inputs. It
    /// costs about 0.1 us for each open entity.
    package func encodeState(into writer: inout MessageWriter) {
        writer.reserve(estimatedSize)
        writer.field(1, Self.stateVersion)
        writer.message(2) { SavedSource(settings, catalog).encode(into: &$0) }
        writer.field(3, now.milliseconds)
        writer.field(4, lastTick_ms)
        writer.field(5, lastSweep_ms)
        writer.field(6, lastNumber)
        for metric in catalog.all { writer.message(7) { SavedMetric(metric).encode(into: &$0) } }
        writer.message(8) { process.encode(into: &$0) }
        for place in 0..<organizations.places_count {
            let slot = organizations.slot(at: place)
            if slot.isNone { continue }
            let message = writer.begin(10)
            organizations[slot].encode(into: &writer, catalog)
            writer.end(message)
        }
        for place in organizations.free { writer.field(11, UInt64(place + 1)) }
        names.encode(into: &writer, elements: 12, free: 13)
        rooms.encode(into: &writer, elements: 14, free: 15)
        participants.encode(into: &writer, elements: 16, free: 17)
        tracks.encode(into: &writer, elements: 18, free: 19)
        egress.encode(into: &writer, elements: 20, free: 21)
        ingress.encode(into: &writer, elements: 22, free: 23)
        for visit in nameChecks.all { writer.message(24) { visit.encode(into: &$0) } }
        for waiter in waiting.waiters { writer.message(25) { waiter.encode(into: &$0) } }
        writer.field(26, waiting.lastNumber)
        for organization in licenses.values { writer.message(27) { organization.encode(into: &$0) } }
        for ids in Self.remembered {
            writer.message(28) { writer in
                writer.field(1, self[keyPath: ids].first)
                writer.field(2, self[keyPath: ids].next)
            }
        }
        writer.field(29, lastPoll_ms)
        writer.field(30, beganAt_ms)
        writer.field(35, clockAhead_ms)
        for session in replaced { writer.message(31) { session.encode(into: &$0) } }
        agentJobs.encode(into: &writer, elements: 32, free: 33)
        writer.message(34) { usage.encode(into: &$0) }
    }

    /// The approximate size of the state, so that the buffer grows only once.
    private var estimatedSize: Int {
        20_000 + organizations.count * 1_500 + names.count * 120 + rooms.count * 70 + participants.count * 90
            + tracks.count * 56 + (egress.count + ingress.count) * 70 + waiting.count * 250 + licenses.count * 60
    }

    // MARK: Ids

    /// Returns the ids that were remembered since the last call, or all of them. Save them with each state, before it.
    ///
    /// A segment is needed until it has expired (`expiry`) for the oldest state that is kept. After a call with `all`,
    /// earlier segments must be deleted.
    package mutating func takeIDs(all: Bool = false) -> [IDSegment] {
        var segments: [IDSegment] = []
        for (kind, ids) in Self.remembered.enumerated() {
            if all { self[keyPath: ids].saveAgain() }
            while let run = self[keyPath: ids].takeUnsaved(most: Limits.segment) {
                segments.append(IDSegment(kind: kind, run))
            }
        }
        return segments
    }

    /// The kinds of ids.
    package static var idKinds: Range<Int> { remembered.indices }

    /// Returns the time for which ids of a kind are remembered, with a margin for the interval of the clock. A segment
    /// is not needed if its `latest` is older than the oldest kept state by more than this.
    package static func expiry(ofKind kind: Int, settings: RecorderSettings) -> Duration {
        (kind == 0 ? settings.dedupTTL : Limits.rememberedFor) + Limits.expiryMargin
    }

    // MARK: After a replay

    /// The names of rooms whose lookup has not been answered, so that it must be made again.
    package var outstandingLookups: [String] {
        guard case .database = settings.organizationSource else { return [] }
        return names.all.filter { $0.element.isAsked || $0.element.resolution == .waiting }.map(\.element.key)
    }

    /// Sets all counters and histograms to 0, because the state before may have counted more than is known.
    package mutating func startTotalsAtZero() {
        for metric in catalog.all where metric.scope == .process { metric.startAtZero(in: process) }
        for (_, organization) in organizations.all {
            for metric in catalog.ofOrganizations { metric.startAtZero(in: organization.series) }
            organization.sparse.startAtZero()
        }
        startUsageAtZero()
    }

    /// Notes that ends of open sessions may be known to the tables and not to this state, because a part of it was lost.
    ///
    /// The webhook of a participant that leaves comes once, so a session that it ends later was not ended before. An end
    /// that is only inferred, as from the end of the room, is in no row then: a session counts once at most.
    package mutating func doubtEnds() {
        for (slot, participant) in participants.all where participant.isActive {
            participants[slot].isEndDoubtful = true
        }
    }

    /// Sets two kinds of totals to 0: those about lkpush itself (`lkpush_`), which count the work of this process, and
    /// histograms whose buckets changed since the state was saved. A replay adds to them what was pushed before.
    package mutating func startOwnTotalsAtZero() {
        for metric in catalog.all where metric.isOwn && metric.scope == .process { metric.startAtZero(in: process) }
        for metric in catalog.ofOrganizations where rebucketed.contains(metric.name) {
            for (_, organization) in organizations.all { metric.startAtZero(in: organization.series) }
        }
        rebucketed = []
    }
}
