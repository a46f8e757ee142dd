internal import Wire

// Which events there are, and what each of them carries: all that the decoder and the stored form know of it.

/// The events that lkpush knows by name; the raw value is LiveKit's name and the label value of `event`.
///
/// To add one: a case here, before `other`, and one in `Event.Body`. The compiler then asks for the rest of this file and
/// for the recorder's handler. `proto/journal.proto` gets its number. An object that no event had before is a type that
/// conforms to `EventObject`.
package enum EventType: String, Sendable, CaseIterable {
    case roomStarted = "room_started"
    case roomFinished = "room_finished"
    case participantJoined = "participant_joined"
    case participantLeft = "participant_left"
    case participantConnectionAborted = "participant_connection_aborted"
    case trackPublished = "track_published"
    case trackUnpublished = "track_unpublished"
    case egressStarted = "egress_started"
    case egressUpdated = "egress_updated"
    case egressEnded = "egress_ended"
    case ingressStarted = "ingress_started"
    case ingressEnded = "ingress_ended"
    case agentJobPending = "agent_job_pending"
    case agentJobStarted = "agent_job_started"
    case agentJobEnded = "agent_job_ended"
    /// Every event that lkpush does not know. It is answered 200 and counted.
    case other

    /// The place in `allCases`, without searching. A test compares it with `allCases`.
    package var ordinal: Int {
        switch self {
        case .roomStarted: 0
        case .roomFinished: 1
        case .participantJoined: 2
        case .participantLeft: 3
        case .participantConnectionAborted: 4
        case .trackPublished: 5
        case .trackUnpublished: 6
        case .egressStarted: 7
        case .egressUpdated: 8
        case .egressEnded: 9
        case .ingressStarted: 10
        case .ingressEnded: 11
        case .agentJobPending: 12
        case .agentJobStarted: 13
        case .agentJobEnded: 14
        case .other: 15
        }
    }
}

extension EventType: StoredEnumeration {
    /// The order of declaration, but for `other`, which has number 0.
    package static let inStoredOrder: [EventType] = [.other] + allCases.dropLast()

    /// Programs before 0.8.0 do not know its number, so it is stored in a field that they skip: for them the event is
    /// `other`.
    var isLater: Bool {
        switch self {
        case .agentJobPending, .agentJobStarted, .agentJobEnded: true
        default: false
        }
    }
}

extension Event {
    /// The kind of the event, with the objects that it carries.
    package enum Body: Sendable, Equatable {
        case roomStarted
        case roomFinished
        case participantJoined(Participant)
        case participantLeft(Participant)
        case participantConnectionAborted(Participant)
        case trackPublished(Track, by: Participant)
        case trackUnpublished(Track, by: Participant)
        case egressStarted(Egress)
        case egressUpdated(Egress)
        case egressEnded(Egress)
        case ingressStarted(Ingress)
        case ingressEnded(Ingress)
        case agentJobPending(AgentJob)
        case agentJobStarted(AgentJob)
        case agentJobEnded(AgentJob)
        case other
    }

    package var type: EventType {
        switch body {
        case .roomStarted: .roomStarted
        case .roomFinished: .roomFinished
        case .participantJoined: .participantJoined
        case .participantLeft: .participantLeft
        case .participantConnectionAborted: .participantConnectionAborted
        case .trackPublished: .trackPublished
        case .trackUnpublished: .trackUnpublished
        case .egressStarted: .egressStarted
        case .egressUpdated: .egressUpdated
        case .egressEnded: .egressEnded
        case .ingressStarted: .ingressStarted
        case .ingressEnded: .ingressEnded
        case .agentJobPending: .agentJobPending
        case .agentJobStarted: .agentJobStarted
        case .agentJobEnded: .agentJobEnded
        case .other: .other
        }
    }
}

extension Event.Body {
    /// Every type of object that an event carries.
    static let objects: [any EventObject.Type] = [
        Participant.self, Track.self, Egress.self, Ingress.self, AgentJob.self,
    ]

    /// Makes the body of a type of the objects that it carries, and reads no others.
    ///
    /// - Parameter bytes: the webhook, where the objects are in one.
    init<Source: EventObjectSource>(
        _ type: EventType, from source: inout Source, _ bytes: Span<UInt8>
    ) throws(Source.Fault) {
        self =
            switch type {
            case .roomStarted: .roomStarted
            case .roomFinished: .roomFinished
            case .participantJoined: .participantJoined(try source.read(bytes))
            case .participantLeft: .participantLeft(try source.read(bytes))
            case .participantConnectionAborted: .participantConnectionAborted(try source.read(bytes))
            case .trackPublished: .trackPublished(try source.read(bytes), by: try source.read(bytes))
            case .trackUnpublished: .trackUnpublished(try source.read(bytes), by: try source.read(bytes))
            case .egressStarted: .egressStarted(try source.read(bytes))
            case .egressUpdated: .egressUpdated(try source.read(bytes))
            case .egressEnded: .egressEnded(try source.read(bytes))
            case .ingressStarted: .ingressStarted(try source.read(bytes))
            case .ingressEnded: .ingressEnded(try source.read(bytes))
            case .agentJobPending: .agentJobPending(try source.read(bytes))
            case .agentJobStarted: .agentJobStarted(try source.read(bytes))
            case .agentJobEnded: .agentJobEnded(try source.read(bytes))
            case .other: .other
            }
    }

    /// Appends the objects that the body carries.
    func encodeObjects(into writer: inout MessageWriter) {
        switch self {
        case .roomStarted, .roomFinished, .other: break
        case .participantJoined(let participant), .participantLeft(let participant),
            .participantConnectionAborted(let participant):
            participant.encodeField(into: &writer)
        case .trackPublished(let track, let participant), .trackUnpublished(let track, let participant):
            participant.encodeField(into: &writer)
            track.encodeField(into: &writer)
        case .egressStarted(let job), .egressUpdated(let job), .egressEnded(let job): job.encodeField(into: &writer)
        case .ingressStarted(let job), .ingressEnded(let job): job.encodeField(into: &writer)
        case .agentJobPending(let job), .agentJobStarted(let job), .agentJobEnded(let job):
            job.encodeField(into: &writer)
        }
    }
}
