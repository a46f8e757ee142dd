package import Wire

/// The differences between the lists of a poll and the recorder's state. What is equal is not in here.
///
/// `lastEvent` is always the time at which the last event of this one entity was received.
package struct Comparison: Sendable, Equatable {
    /// A room that is open in the state and not listed.
    package struct AbsentRoom: Sendable, Equatable {
        package let sid: String
        package let name: String
        package let lastEvent: Timestamp

        package init(sid: String, name: String, lastEvent: Timestamp) {
            self.sid = sid
            self.name = name
            self.lastEvent = lastEvent
        }
    }

    /// A room that is listed and not open in the state.
    package struct UnknownRoom: Sendable, Equatable {
        /// Its place in `Listing.rooms`.
        package let place: Int
        /// The end of the room that is remembered; nil if none is.
        package let endedAt: Timestamp?

        package init(place: Int, endedAt: Timestamp?) {
            self.place = place
            self.endedAt = endedAt
        }
    }

    /// A room that is listed and open, with another number of participants.
    package struct DifferingRoom: Sendable, Equatable {
        /// Its place in `Listing.rooms`.
        package let place: Int
        /// The participants in the state that are neither agents nor recorders.
        package let counted: Int
        /// The time at which the last event of the room, or of anybody in it, was received.
        package let lastEvent: Timestamp

        package init(place: Int, counted: Int, lastEvent: Timestamp) {
            self.place = place
            self.counted = counted
            self.lastEvent = lastEvent
        }
    }

    /// A job that is open in the state, and not listed as running.
    package struct AbsentJob: Sendable, Equatable {
        /// The egress id, or the key of the ingress' job.
        package let key: String
        /// The id of the ingress; empty for an egress.
        package let ingressID: String
        package let lastEvent: Timestamp
        /// The place in the list of its ended form: of an ended egress with this id, or of the ingress whose job this
        /// was and which does not run, or runs another job. Nil if the list does not have it.
        package let place: Int?

        package init(key: String, ingressID: String, lastEvent: Timestamp, place: Int?) {
            self.key = key
            self.ingressID = ingressID
            self.lastEvent = lastEvent
            self.place = place
        }
    }

    /// A job that is listed and not open in the state.
    package struct UnknownJob: Sendable, Equatable {
        /// Its place in `Listing.egress` or `Listing.ingress`.
        package let place: Int
        /// Its end is remembered, of this attempt or of a later one.
        package let isRemembered: Bool
        /// Its room is open in the state, or it has none.
        package let hasRoom: Bool

        package init(place: Int, isRemembered: Bool, hasRoom: Bool) {
            self.place = place
            self.isRemembered = isRemembered
            self.hasRoom = hasRoom
        }
    }

    package var absentRooms: [AbsentRoom] = []
    package var unknownRooms: [UnknownRoom] = []
    package var differingRooms: [DifferingRoom] = []
    package var absentEgress: [AbsentJob] = []
    /// Running jobs, and ended ones whose end is not remembered and that ended while this state was kept.
    package var unknownEgress: [UnknownJob] = []
    package var absentIngress: [AbsentJob] = []
    package var unknownIngress: [UnknownJob] = []

    /// The entities that are open in the state.
    package var openRooms = 0
    package var openEgress = 0
    package var openIngress = 0
    /// The time at which the last webhook was received; nil if none was since the start of this process.
    package var lastWebhook: Timestamp?

    package init() {}
}

/// The differences between the listed participants of one room and the recorder's state.
package struct RoomComparison: Sendable, Equatable {
    /// A participant that is listed and not open in the state.
    package struct UnknownParticipant: Sendable, Equatable {
        /// Its place in `RoomMembers.participants`.
        package let place: Int
        /// The remembered end of this SID; nil if none is.
        package let endedAt: Timestamp?

        package init(place: Int, endedAt: Timestamp?) {
            self.place = place
            self.endedAt = endedAt
        }
    }

    /// A participant that is open in the state and not listed.
    package struct AbsentParticipant: Sendable, Equatable {
        package let sid: String
        /// It counts in `num_participants`: it is neither an agent nor a recorder.
        package let isCounted: Bool
        package let lastEvent: Timestamp
        /// The place of the listed participant with the same identity; nil if there is none.
        package let successor: Int?

        package init(sid: String, isCounted: Bool, lastEvent: Timestamp, successor: Int?) {
            self.sid = sid
            self.isCounted = isCounted
            self.lastEvent = lastEvent
            self.successor = successor
        }
    }

    /// A track that is listed and not open in the state, of a participant that is in both or is unknown.
    package struct UnknownTrack: Sendable, Equatable {
        package let participant: Int
        /// Its place in `ListedParticipant.tracks`.
        package let place: Int
        package let isRemembered: Bool
        /// The last event of its participant, if that is open.
        package let lastEvent: Timestamp?

        package init(participant: Int, place: Int, isRemembered: Bool, lastEvent: Timestamp?) {
            self.participant = participant
            self.place = place
            self.isRemembered = isRemembered
            self.lastEvent = lastEvent
        }
    }

    /// A track that is open in the state and not listed, of a participant that is in both.
    package struct AbsentTrack: Sendable, Equatable {
        package let sid: String
        /// The last event of its participant.
        package let lastEvent: Timestamp

        package init(sid: String, lastEvent: Timestamp) {
            self.sid = sid
            self.lastEvent = lastEvent
        }
    }

    /// The SID of the room.
    package let room: String
    /// The participants in the state that are neither agents nor recorders.
    package var counted = 0
    package var unknown: [UnknownParticipant] = []
    package var absent: [AbsentParticipant] = []
    package var unknownTracks: [UnknownTrack] = []
    package var absentTracks: [AbsentTrack] = []

    package init(room: String) { self.room = room }

    /// Nothing differs.
    package var isEmpty: Bool {
        unknown.isEmpty && absent.isEmpty && unknownTracks.isEmpty && absentTracks.isEmpty
    }
}
