package import LiveKit
package import Wire

/// The result of one poll, as an input of the recorder: what was not seen, and the confirmed differences.
///
/// It never has whole answers: what it does not name was seen by the poll and agreed.
package struct PollResult: Sendable, Equatable {
    /// The time at which the first question was sent. What had an event since a minute before it is left alone.
    package var askedAt: Timestamp
    /// The SIDs of rooms that are open in the state and were not listed, and of those whose number of participants
    /// differed, whether they are corrected or not.
    package var absentRooms: [String] = []
    package var differingRooms: [String] = []
    /// The SIDs of rooms whose participants were listed and are as in the state once the corrections are made.
    package var settledRooms: [String] = []
    /// The keys of jobs that are open in the state and did not run.
    package var absentEgress: [String] = []
    package var absentIngress: [String] = []
    /// In the order in which they are applied: what ends comes before what is adopted.
    package var corrections: [Correction] = []

    package init(askedAt: Timestamp) { self.askedAt = askedAt }

    /// One confirmed difference.
    package enum Correction: Sendable, Equatable {
        case adoptRoom(Room)
        /// Ends a room; at its last evidence if there is no time.
        case endRoom(sid: String, at: Timestamp?)
        /// - Parameter room: the SID.
        case adoptParticipant(Participant, room: String)
        /// Ends a participant; at its last evidence if there is no time.
        case endParticipant(sid: String, at: Timestamp?)
        /// - Parameter participant: the SID.
        case adoptTrack(Track, participant: String)
        case endTrack(sid: String)
        case adoptEgress(Egress, Room)
        /// Applies an end, exactly as its webhook would have.
        case endEgress(Egress, Room)
        /// Closes a job that LiveKit does not know any more, unobserved.
        case dropEgress(id: String)
        case adoptIngress(Ingress, Room)
        /// Applies an end, exactly as its webhook would have.
        case endIngress(Ingress, Room)
        /// Closes a job that LiveKit does not know any more, unobserved.
        case dropIngress(key: String)
    }
}
