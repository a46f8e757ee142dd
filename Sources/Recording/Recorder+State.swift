import Storage
package import Wire

// Saving. `proto/journal.proto` describes the format.

extension Recorder {
    /// Version of the saved form. A field more needs no new one: what is absent is zero, what is unknown is skipped.
    static let stateVersion: UInt64 = 1

    /// What is remembered, in the order of the kinds of `IDSegment`.
    static var remembered: [WritableKeyPath<Recorder, RememberedIDs>] {
        [\.seen, \.endedRooms, \.endedParticipants, \.endedTracks, \.endedEgress, \.endedIngress]
    }

    /// Appends everything that the recorder knows and counts, except remembered ids.
    ///
    /// A recorder restored from it, and from all segments of ids up to now, does the same on the same further inputs.
    /// Costs about 0.1 us for each thing that is open.
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
    }

    /// About as many bytes as the state takes, so that the buffer grows once.
    private var estimatedSize: Int {
        20_000 + organizations.count * 1_500 + names.count * 120 + rooms.count * 70 + participants.count * 90
            + tracks.count * 56 + (egress.count + ingress.count) * 70 + waiting.count * 250 + licenses.count * 60
    }

    // MARK: Ids

    /// The ids remembered since the last call, or all of them: save them with each state, before it.
    ///
    /// A segment is needed until it has expired (`expiry`) for the oldest state that is kept. After `all`, segments that
    /// were saved before must go.
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

    /// How long ids of a kind are remembered, with a margin for a clock that ticks: a segment whose `latest` is older
    /// than the oldest state that is kept by more than this is not needed.
    package static func expiry(ofKind kind: Int, settings: RecorderSettings) -> Duration {
        (kind == 0 ? settings.dedupTTL : Limits.rememberedFor) + Limits.expiryMargin
    }

    // MARK: After a replay

    /// Names of rooms whose organization was asked for and not told: to be asked for again.
    package var outstandingLookups: [String] {
        guard case .database = settings.organizationSource else { return [] }
        return names.all.filter { $0.element.isAsked || $0.element.resolution == .waiting }.map(\.element.key)
    }

    /// Sets all counters and histograms to 0: the state before may have counted more than is known.
    package mutating func startTotalsAtZero() {
        for metric in catalog.all where metric.scope == .process { metric.startAtZero(in: process) }
        for (_, organization) in organizations.all {
            for metric in catalog.ofOrganizations { metric.startAtZero(in: organization.series) }
        }
    }

    /// Sets the totals of the recorder about itself (`lkpush_`) to 0, which count what this process does, and histograms
    /// whose buckets changed since the state was saved: what a replay adds to them was pushed before.
    package mutating func startOwnTotalsAtZero() {
        for metric in catalog.all where metric.isOwn && metric.scope == .process { metric.startAtZero(in: process) }
        for metric in catalog.ofOrganizations where rebucketed.contains(metric.name) {
            for (_, organization) in organizations.all { metric.startAtZero(in: organization.series) }
        }
        rebucketed = []
    }
}
