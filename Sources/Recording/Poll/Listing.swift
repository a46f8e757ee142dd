package import LiveKit

/// All lists of one poll of LiveKit's server API, each complete.
package struct Listing: Sendable {
    package var rooms: [ListedRoom]
    package var egress: [ListedEgress]
    package var ingress: [ListedIngress]
    /// The list of egress has the ended jobs of the last 24 hours, too.
    package var hasEndedEgress: Bool

    package init(
        rooms: [ListedRoom] = [], egress: [ListedEgress] = [], ingress: [ListedIngress] = [],
        hasEndedEgress: Bool = false
    ) {
        self.rooms = rooms
        self.egress = egress
        self.ingress = ingress
        self.hasEndedEgress = hasEndedEgress
    }
}

/// The participants of one room, as LiveKit's server API listed them.
package struct RoomMembers: Sendable {
    /// The SID of the room.
    package var room: String
    package var participants: [ListedParticipant]

    package init(room: String, participants: [ListedParticipant]) {
        self.room = room
        self.participants = participants
    }
}
