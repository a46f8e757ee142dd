// The elements of the lists that LiveKit's server API answers with, with only what the comparison with the state needs.

/// A room of `RoomService/ListRooms`.
/// https://github.com/livekit/protocol/blob/main/protobufs/livekit_models.proto
package struct ListedRoom: Sendable, Equatable {
    package var room: Room
    /// `num_participants`: LiveKit leaves out agents, recorders and hidden participants, and renews it every 5 s.
    package var participants: Int
    /// `empty_timeout`, in seconds; 0 if absent.
    package var emptyTimeout_s: Int64
    /// `departure_timeout`, in seconds; 0 if absent.
    package var departureTimeout_s: Int64

    package init(
        room: Room = Room(), participants: Int = 0, emptyTimeout_s: Int64 = 0, departureTimeout_s: Int64 = 0
    ) {
        self.room = room
        self.participants = participants
        self.emptyTimeout_s = emptyTimeout_s
        self.departureTimeout_s = departureTimeout_s
    }
}

/// A participant of `RoomService/ListParticipants`, with its tracks.
package struct ListedParticipant: Sendable, Equatable {
    package var participant: Participant
    /// `state` is ACTIVE: it has joined and is connected.
    package var isActive: Bool
    /// `permission.hidden`: others do not see it, and `num_participants` counts it only by chance.
    package var isHidden: Bool
    package var tracks: [Track]

    package init(
        participant: Participant = Participant(), isActive: Bool = false, isHidden: Bool = false, tracks: [Track] = []
    ) {
        self.participant = participant
        self.isActive = isActive
        self.isHidden = isHidden
        self.tracks = tracks
    }
}

/// A job of `Egress/ListEgress`.
package struct ListedEgress: Sendable, Equatable {
    package var egress: Egress
    /// SID and name of its room; empty where it has none.
    package var room: Room
    /// `updated_at`, in Unix nanoseconds; 0 if absent.
    package var updatedAt_ns: Int64

    package init(egress: Egress = Egress(), room: Room = Room(), updatedAt_ns: Int64 = 0) {
        self.egress = egress
        self.room = room
        self.updatedAt_ns = updatedAt_ns
    }
}

/// An ingress of `Ingress/ListIngress`.
package struct ListedIngress: Sendable, Equatable {
    /// The meaning of `state.status` for its job.
    package enum Activity: Sendable, Equatable {
        /// ENDPOINT_BUFFERING or ENDPOINT_PUBLISHING.
        case running
        /// ENDPOINT_INACTIVE, ENDPOINT_COMPLETE or ENDPOINT_ERROR.
        case ended
        /// The list tells no status, or one that this program does not know.
        case unknown
    }

    package var ingress: Ingress
    /// SID and name of its room; empty where it has none.
    package var room: Room
    package var activity: Activity

    package init(ingress: Ingress = Ingress(), room: Room = Room(), activity: Activity = .unknown) {
        self.ingress = ingress
        self.room = room
        self.activity = activity
    }
}
