import LiveKit
import Wire

/// A room of the office; open while it has a SID.
struct OfficeRoom: Sendable {
    let name: String
    let organization: Int
    /// Of the present or the last opening; empty before the first.
    var sid = ""
    var openedAt = Timestamp(milliseconds: 0)
    var isOpen = false
    /// Its server died and no other has taken over yet: nobody can come in.
    var isDown = false
    /// Who is in it, by SID, in order of arrival.
    var attendees: [String] = []
    /// Recording jobs that need it.
    var jobs: [String] = []
    /// Grows with every arrival, so that an old idle check knows it is stale.
    var mark = 0
    /// Who comes back when it reopens.
    var returning: [Attendee] = []
}

/// Somebody who works here.
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
    /// Signal connection, a moment before the media were active.
    let joinedAt: Timestamp
    /// When it means to leave, in milliseconds of the office.
    let until: Int64
    /// Who it is, if one of the staff.
    let person: Int?
    var tracks: [OwnTrack] = []

    struct OwnTrack: Sendable {
        let sid: String
        let source: Track.Source
    }
}

/// A recording job in progress.
struct RecordingJob: Sendable {
    let id: String
    let room: Int
    let roomSID: String
    let requestType: Egress.RequestType
    let startedAt: Timestamp
    let output: EgressMessage.Output
    /// When the medium began; nil while the job starts.
    var mediaFrom: Timestamp?
    /// The recorder's own participant; nil while it is not in the room.
    var attendee: String?
}

/// An ingress job in progress.
struct IngressJob: Sendable {
    let id: String
    let resourceID: String
    let room: Int
    let roomSID: String
    let inputType: Ingress.InputType
    let startedAt: Timestamp
    let attendee: String
}
