import LiveKit
import Wire

/// A room of the office. It is open while it has a SID.
struct OfficeRoom: Sendable {
    let name: String
    let organization: Int
    /// The SID of the present or the last opening; empty before the first one.
    var sid = ""
    var openedAt = Timestamp(milliseconds: 0)
    var isOpen = false
    /// Its server died and no other one has taken over yet: nobody can come in.
    var isDown = false
    /// The participants in the room, by SID, in order of arrival.
    var attendees: [String] = []
    /// The recording jobs that need the room.
    var jobs: [String] = []
    /// A counter of arrivals, by which an old idle check sees that it is outdated.
    var mark = 0
    /// The participants who come back when the room reopens.
    var returning: [Attendee] = []
}

/// A member of the staff.
struct Person: Sendable {
    let organization: Int
    let identity: String
    let name: String
}

/// A participant in a room.
struct Attendee: Sendable {
    let sid: String
    let room: Int
    let identity: String
    let name: String
    let kind: Participant.Kind
    /// The time of the signal connection, a moment before the media became active.
    let joinedAt: Timestamp
    /// The planned time of leaving, in milliseconds of the office.
    let until: Int64
    /// The member of the staff; nil for everybody else.
    let person: Int?
    var call: CallDirection = .unknown
    /// The name of an agent that tells it.
    var agentName = ""
    /// The job of an agent; empty for everybody else.
    var job = ""
    var tracks: [OwnTrack] = []

    struct OwnTrack: Sendable {
        let sid: String
        let source: Track.Source
    }
}

/// A running recording job.
struct RecordingJob: Sendable {
    let id: String
    let room: Int
    let roomSID: String
    let requestType: Egress.RequestType
    let startedAt: Timestamp
    let output: EgressMessage.Output
    /// The time at which the medium began; nil while the job starts.
    var mediaFrom: Timestamp?
    /// The recorder's own participant; nil while it is not in the room.
    var attendee: String?
    /// The number of attempts before this one.
    var retryCount = 0
    /// The code of the error with which it fails.
    var errorCode = 500
}

/// The job of an agent, waiting or running.
struct AgentWork: Sendable {
    let id: String
    let room: Int
    let roomSID: String
    let agentName: String
    /// The length of the job, in milliseconds.
    let lasts: Int64
    /// Nil while it waits for a worker.
    var startedAt: Timestamp?
}

/// A running ingress job.
struct IngressJob: Sendable {
    let id: String
    let resourceID: String
    let room: Int
    let roomSID: String
    let inputType: Ingress.InputType
    let startedAt: Timestamp
    let attendee: String
}
