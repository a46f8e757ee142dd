package import LiveKit
package import Wire

/// The ground truth: the office's facts, counted as a recorder must count them that gets every webhook.
///
/// It shares nothing with the recorder: it never reads a body, but adds up the actions of the office. The order of
/// webhooks with different keys does not matter to it.
package struct Truth: Sendable {
    /// A distribution in the form of a histogram.
    package struct Distribution: Sendable, Equatable {
        package private(set) var count = 0
        /// In whole microseconds, so that it does not depend on the order of the observations.
        private var sum_us: Int64 = 0
        /// The observations at or below each bound, and at the end all of them.
        package private(set) var buckets: [Int]
        package let bounds: [Double]

        init(bounds: [Double]) {
            self.bounds = bounds
            buckets = Array(repeating: 0, count: bounds.count + 1)
        }

        /// The sum of the observations, to the microsecond.
        package var sum: Double { Double(sum_us) / 1_000_000 }

        mutating func observe(_ value: Double) {
            count += 1
            sum_us += Int64((value * 1_000_000).rounded())
            for (index, bound) in bounds.enumerated() where value <= bound { buckets[index] += 1 }
            buckets[bounds.count] += 1
        }
    }

    /// A row of the activity table, except for the form of the user's id.
    package struct Visit: Sendable, Hashable {
        package let organization: String
        package let identity: String
        package let day: CivilDate
    }

    /// The activity of one person in one organization on one day.
    package struct Activity: Sendable, Equatable {
        package var sessions = 0
        package var duration_seconds = 0.0
    }

    /// The figures of one organization.
    package struct Account: Sendable {
        package var roomsStarted = 0
        package var roomsFinished = 0
        package var sessions = 0
        package var roomDurations = Distribution(bounds: Bounds.room)
        package var lifetimes = Distribution(bounds: Bounds.lifetime)
        package var tracks: [Track.Source: Int] = [:]
        package var recordingsStarted: [Egress.RequestType: Int] = [:]
        package var recordingDurations: [Ended<Egress.RequestType>: Distribution] = [:]
        package var recordingsEnded: [Ended<Egress.RequestType>: Int] = [:]
        package var streamsStarted: [Ingress.InputType: Int] = [:]
        package var streamDurations: [Ended<Ingress.InputType>: Distribution] = [:]
        package var streamsEnded: [Ended<Ingress.InputType>: Int] = [:]

        package var openRooms: Set<String> = []
        package var present: Set<String> = []
        package var openTracks: [String: Track.Source] = [:]
        package var openRecordings: [String: Egress.RequestType] = [:]
        package var openStreams: [String: Ingress.InputType] = [:]
        /// Tracks whose end was told. A start that is told later opens nothing.
        var endedTracks: Set<String> = []
    }

    /// The result of a job, with its type.
    package struct Ended<Kind: Hashable & Sendable>: Sendable, Hashable {
        package let kind: Kind
        package let hasSucceeded: Bool
        /// The value of the label `result`.
        package var result: String { hasSucceeded ? "success" : "failed" }
    }

    /// The bounds of the histograms, including those of `HISTOGRAM_LONG_BUCKETS`.
    enum Bounds {
        static let room: [Double] = [30, 54, 97, 175, 315, 567, 1020, 1837, 3307, 5953, 7200, 14400, 28800]
        static let lifetime: [Double] = [15, 27, 48, 87, 157, 283, 509, 916, 1649, 2969, 7200, 14400, 28800]
        static let job: [Double] = [30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400]
        static let wait: [Double] = [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]
    }

    package private(set) var accounts: [String: Account] = [:]
    /// Webhooks with a new id, by event.
    package private(set) var events: [EventType: Int] = [:]
    /// Webhooks with a known id, by event.
    package private(set) var duplicates: [EventType: Int] = [:]
    package private(set) var visits: [Visit: Activity] = [:]
    /// Every recording that ended, with its organization and the times in the bodies.
    package private(set) var recordings: [(organization: String, Fact.Recording)] = []
    /// The usage of each organization, in the units of an invoice.
    package private(set) var usage = UsageTruth()

    /// Keeps the begin and the end of each use from now on.
    package mutating func keepSpans() { usage.spans = [:] }

    package init() {}

    /// Counts a webhook that was answered 200 and whose times were moved by `shift`.
    package mutating func count(_ webhook: SimulatedWebhook, shift: TimeShift) {
        guard webhook.novelty != .duplicate else {
            duplicates[webhook.event, default: 0] += 1
            return
        }
        events[webhook.event, default: 0] += 1
        for fact in webhook.facts { add(fact, to: webhook.organization, shift: shift) }
        usage.count(webhook, shift: shift)
    }

    /// Counts a crash at once. The webhook that tells it later changes nothing.
    package mutating func count(_ crash: Occurrence.Crash) {
        let fact = Fact.vanished(participants: crash.participants, tracks: crash.tracks)
        accounts[crash.organization, default: Account()].add(fact)
        usage.count(crash)
    }

    private mutating func add(_ fact: Fact, to organization: String, shift: TimeShift) {
        if case .left(let visitor, let at, let stayed, _) = fact, visitor.kind == .standard, !visitor.identity.isEmpty {
            let visit = Visit(organization: organization, identity: visitor.identity, day: CivilDate(shift(at)))
            visits[visit, default: Activity()].sessions += 1
            visits[visit, default: Activity()].duration_seconds += stayed
        }
        if case .recordingEnded(let recording) = fact {
            // Another attempt takes the place of the one before it.
            if recording.retryCount > 0 { recordings.removeAll { $0.1.id == recording.id } }
            recordings.append((organization, recording.moved(by: shift)))
        }
        accounts[organization, default: Account()].add(fact)
    }
}

extension Truth.Account {
    mutating func add(_ fact: Fact) {
        switch fact {
        case .roomOpened(let sid):
            roomsStarted += 1
            openRooms.insert(sid)
        case .roomClosed(let sid, let lasted, _):
            roomsFinished += 1
            openRooms.remove(sid)
            roomDurations.observe(lasted)
        case .joined(let visitor):
            guard visitor.kind == .standard else { return }
            sessions += 1
            present.insert(visitor.sid)
        case .left(let visitor, _, let stayed, _):
            guard visitor.kind == .standard else { return }
            present.remove(visitor.sid)
            lifetimes.observe(stayed)
        case .published(let sid, let source, _):
            tracks[source, default: 0] += 1
            if !endedTracks.contains(sid) { openTracks[sid] = source }
        case .unpublished(let sid): end(track: sid)
        case .vanished(let participants, let tracks):
            present.subtract(participants)
            for sid in tracks { end(track: sid) }
        case .recordingStarted(let id, let type):
            recordingsStarted[type, default: 0] += 1
            openRecordings[id] = type
        case .recordingRetried(let id, let type): openRecordings[id] = type
        case .recordingEnded(let recording):
            openRecordings[recording.id] = nil
            let how = Truth.Ended(kind: recording.requestType, hasSucceeded: recording.hasSucceeded)
            recordingsEnded[how, default: 0] += 1
            guard let lasted = recording.lasted_seconds else { return }
            recordingDurations[how, default: Truth.Distribution(bounds: Truth.Bounds.job)].observe(lasted)
        case .streamStarted(let id, let type):
            streamsStarted[type, default: 0] += 1
            openStreams[id] = type
        case .streamEnded(let id, let type, let hasFailed, let lasted):
            openStreams[id] = nil
            let how = Truth.Ended(kind: type, hasSucceeded: !hasFailed)
            streamsEnded[how, default: 0] += 1
            streamDurations[how, default: Truth.Distribution(bounds: Truth.Bounds.job)].observe(lasted)
        // These are a part of `usage` only.
        case .aborted, .jobWaiting, .jobStarted, .jobEnded: break
        }
    }

    private mutating func end(track sid: String) {
        openTracks[sid] = nil
        endedTracks.insert(sid)
    }
}

extension Fact.Recording {
    func moved(by shift: TimeShift) -> Fact.Recording {
        Fact.Recording(
            id: id, requestType: requestType, status: status, retryCount: retryCount, errorCode: errorCode,
            lasted_seconds: lasted_seconds, size_bytes: size_bytes, startedAt: startedAt.map { shift($0) },
            endedAt: endedAt.map { shift($0) },
            roomName: roomName)
    }
}
