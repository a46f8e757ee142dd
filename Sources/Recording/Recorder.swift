package import LiveKit
import Metrics
import Storage
package import Wire

/// The state of all rooms, and the metrics that report it: it takes events, and returns metric updates and actions.
///
/// It is a pure state machine: the same inputs make the same metrics and actions (Specification, *Recorder*). The state
/// is sets of entities by SID, and a gauge is the size of a set, so a repeated or missing event cannot make it drift.
/// It has one owner at a time. An event costs about a microsecond. Memory is that of the open entities, plus 24 bytes
/// per remembered id.
package struct Recorder: Sendable {
    let settings: RecorderSettings
    let catalog: Catalog
    /// The series without an organization.
    var process: InstrumentTable

    var organizations = EntityTable<OrganizationState>()
    var names = EntityTable<RoomNameState>()
    var rooms = EntityTable<RoomState>()
    var participants = EntityTable<ParticipantState>()
    var tracks = EntityTable<TrackState>()
    var egress = EntityTable<JobState>()
    var ingress = EntityTable<JobState>()
    var agentJobs = EntityTable<JobState>()
    /// Participants that have joined, by room and identity.
    var identities: [ParticipantIdentity: Slot<ParticipantState>] = [:]
    /// The open job of each ingress.
    var ingressJobs: [ExactText: Slot<JobState>] = [:]
    /// The sessions of people, if everybody may have only one.
    var sessions = SessionIndex()

    /// The ids of events that were received in the last `dedupTTL`.
    var seen: RememberedIDs
    var endedRooms: RememberedIDs
    var endedParticipants: RememberedIDs
    var endedTracks: RememberedIDs
    var endedEgress: RememberedIDs
    var endedIngress: RememberedIDs

    var waiting = WaitingRooms()
    /// Sessions that somebody of the same identity replaced, and whose own end has not come yet, in order of time.
    var replaced: [ReplacedSession] = []
    /// The planned checks of room names, in the order of their times.
    var nameChecks = Deque<RoomNameCheck>()
    /// The last licence report, for organizations without an event so far.
    var licenses: [String: Organization] = [:]
    /// The last number of a room or a room name.
    var lastNumber: UInt64 = 0

    /// The organization under which events without an organization count.
    let unknown: Slot<OrganizationState>
    /// The only organization, if the source is fixed.
    var fixed: Slot<OrganizationState> = .none

    /// The clock of usage, and its rows.
    var usage = UsageState()

    /// The number of the rules under which the input is applied.
    var rules = Recorder.rules
    /// The time of the last input.
    var now = Timestamp(milliseconds: .min)
    /// By how much the wall clock is ahead of the times of receipt. Times of events are measured against the wall clock,
    /// too, since a process may have begun with a wrong one.
    package internal(set) var clockAhead_ms: Int64 = 0
    var lastTick_ms: Int64 = .min
    var lastSweep_ms: Int64 = .min
    /// The time of the last poll of LiveKit's API; 0 if there was none.
    var lastPoll_ms: Int64 = 0
    /// The time of the first input of this state; 0 before it.
    var beganAt_ms: Int64 = 0
    /// The time at which this process received the last webhook; 0 if it has received none.
    var lastWebhook_ms: Int64 = 0
    var idsForgotten = 0
    /// The names of histograms whose buckets differ from those of the state that it was restored from.
    var rebucketed: Set<String> = []
    /// The number of ids that were missing in the segments when the recorder was restored.
    package var missingIDs = 0

    package init(settings: RecorderSettings, catalog: Catalog) {
        var organizations = EntityTable<OrganizationState>()
        let unknown = organizations.insert(
            OrganizationState(Organization(id: "unknown", name: ""), catalog: catalog, isNamed: false))
        self.init(settings: settings, catalog: catalog, organizations: organizations, unknown: unknown)
        if case .fixed(let id, let name) = settings.organizationSource {
            fixed = upsert(Organization(id: id, name: name), named: name == id ? .makeshift : .events)
        }
    }

    /// Makes an empty recorder with only these organizations, for `init(restoring:)`.
    init(
        settings: RecorderSettings, catalog: Catalog, organizations: EntityTable<OrganizationState>,
        unknown: Slot<OrganizationState>
    ) {
        self.settings = settings
        self.catalog = catalog
        process = catalog.processTable()
        self.organizations = organizations
        self.unknown = unknown
        let limit = settings.rememberedIDs
        seen = RememberedIDs(limit: limit)
        endedRooms = RememberedIDs(limit: limit, keeping: .ends)
        endedParticipants = RememberedIDs(limit: limit, keeping: .ends)
        endedTracks = RememberedIDs(limit: limit, keeping: .endsAndVersions)
        endedEgress = RememberedIDs(limit: limit)
        endedIngress = RememberedIDs(limit: limit, keeping: .ends)
    }

    /// Applies one input: updates the metrics and appends actions.
    ///
    /// - Parameter rules: in a replay, the number that was noted with the input when it was first applied. Rules that
    ///   are newer than this program's count as its own.
    package mutating func apply(_ input: Input, rules: Int = Recorder.rules, into actions: inout [Action]) {
        self.rules = rules
        switch input {
        case .event(let event, let receivedAt):
            advance(to: receivedAt, isLate: true, &actions)
            lastWebhook_ms = receivedAt.milliseconds
            accept(event, receivedAt: receivedAt, &actions)
        case .answer(let room, let result, let time):
            advance(to: time, &actions)
            take(answer: result, for: room, &actions)
        case .report(let report, let time):
            advance(to: time, &actions)
            take(report)
        case .time(let time):
            advance(to: time, &actions)
            readUsage()
        case .presence(let rows, let time):
            advance(to: time, &actions)
            adopt(rows, &actions)
        case .poll(let result, let time):
            advance(to: time, &actions)
            take(result, &actions)
        case .stopping(let time):
            advance(to: time, &actions)
            storeUsage(isLast: true, &actions)
            readUsage()
        case .clock(let ahead_ms, let time):
            clockAhead_ms = Self.clampedAhead_ms(ahead_ms)
            advance(to: time, &actions)
        }
    }

    /// Leaves out an event that is never applied. Only its id is remembered, so that a repetition is a duplicate.
    package mutating func passOver(_ event: Event, receivedAt: Timestamp) {
        if !event.id.isEmpty { _ = seen.insert(Fingerprint(event.id), at: receivedAt) }
    }

    // MARK: One event

    /// Drops a duplicate. Otherwise finds the organization and applies the event, or lets it wait for its organization.
    private mutating func accept(_ event: Event, receivedAt: Timestamp, _ actions: inout [Action]) {
        if !event.id.isEmpty {
            guard seen.insert(Fingerprint(event.id), at: receivedAt) else {
                process.increment(catalog.webhookDuplicates, event.type.ordinal)
                return
            }
        }
        find(event, receivedAt: receivedAt, isRecovered: false, &actions)
    }

    /// Finds the organization of an event and applies it, or lets it wait.
    mutating func find(_ event: Event, receivedAt: Timestamp, isRecovered: Bool, _ actions: inout [Action]) {
        let name = name(of: event)
        if !name.isNone && event.type != .other {
            resolve(name, for: event, &actions)
            if names[name].resolution == .waiting {
                wait(event, in: name, receivedAt: receivedAt, isRecovered: isRecovered, &actions)
                return
            }
        }
        perform(event, name: name, receivedAt: receivedAt, isRecovered: isRecovered, &actions)
        if !name.isNone { forgetIfUnused(name) }
    }

    /// Counts an event and applies it, under the organization that is known now.
    ///
    /// - Parameter isRecovered: a poll found it. It is no webhook, and tells nothing about its room.
    mutating func perform(
        _ event: Event, name: Slot<RoomNameState>, receivedAt: Timestamp, isRecovered: Bool,
        _ actions: inout [Action]
    ) {
        let type = event.type
        let context = context(of: event, name: name, receivedAt: receivedAt)
        if !isRecovered {
            countWebhook(context)
            noteLag(context)
            touch(context, &actions)
        }
        if type == .other { return }
        if let failure = context.failure {
            process.increment(catalog.lookupFailures, failure.ordinal)
            actions.append(.tellUnknown(room: names[name].key, failure))
        }
        noteActivity(of: context.organization, at: receivedAt)

        switch event.body {
        case .roomStarted: roomStarted(context, &actions)
        case .roomFinished: roomFinished(context, event.endReason, &actions)
        case .participantJoined(let participant): joined(participant, context, &actions)
        case .participantLeft(let participant): left(participant, context, &actions)
        case .participantConnectionAborted(let participant): aborted(participant, context, &actions)
        case .trackPublished(let track, let participant): published(track, by: participant, context, &actions)
        case .trackUnpublished(let track, let participant): unpublished(track, by: participant, context, &actions)
        case .egressStarted(let job): egressStarted(job, context)
        case .egressUpdated(let job): egressUpdated(job, context)
        case .egressEnded(let job): egressEnded(job, context, &actions)
        case .ingressStarted(let job): ingressStarted(job, context)
        case .ingressEnded(let job): ingressEnded(job, context)
        case .agentJobPending(let job): agentJobPending(job, context)
        case .agentJobStarted(let job): agentJobStarted(job, context)
        case .agentJobEnded(let job): agentJobEnded(job, context)
        case .other: break
        }
    }

    private mutating func countWebhook(_ context: EventContext) {
        process.increment(catalog.webhookEvents, context.type.ordinal)
        if let lag = context.lag { process.observe(catalog.webhookLag, context.type.ordinal, lag) }
    }

    func context(of event: Event, name: Slot<RoomNameState>, receivedAt: Timestamp) -> EventContext {
        let (milliseconds, overflow) = event.createdAt.multipliedReportingOverflow(by: 1_000)
        let created_ms = overflow ? .max : milliseconds
        var context = EventContext(
            id: event.id, type: event.type, room: event.room, name: name, organization: unknown, created_ms: created_ms,
            order_ms: created_ms > 0 ? created_ms : receivedAt.milliseconds, receivedAt: receivedAt,
            clockAhead_ms: clockAhead_ms)
        if !event.room.sid.isEmpty { context.openRoom = rooms.find(event.room.sid) }
        if !fixed.isNone {
            context.organization = fixed
        } else if name.isNone {
            context.organization = organization(ofNameless: event)
        } else if case .known(let organization) = names[name].resolution {
            context.organization = organization
        } else if case .failed(let reason, _) = names[name].resolution {
            context.failure = reason
        }
        return context
    }

    /// Returns the organization of an event without a room name: that of the job if it is a job's event, else
    /// `unknown`.
    private func organization(ofNameless event: Event) -> Slot<OrganizationState> {
        switch event.body {
        case .egressStarted(let job), .egressUpdated(let job), .egressEnded(let job):
            let slot = egress.find(job.id)
            return slot.isNone ? unknown : egress[slot].organization
        case .ingressStarted(let job), .ingressEnded(let job):
            let slot = ingress.find(job.sessionKey)
            return slot.isNone ? unknown : ingress[slot].organization
        default: return unknown
        }
    }
}
