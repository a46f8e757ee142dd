/// The calls of LiveKit's server API that list something. The raw value is the path.
enum APICall: String, Sendable, CaseIterable {
    case listRooms = "/twirp/livekit.RoomService/ListRooms"
    case listParticipants = "/twirp/livekit.RoomService/ListParticipants"
    case listEgress = "/twirp/livekit.Egress/ListEgress"
    case listIngress = "/twirp/livekit.Ingress/ListIngress"

    /// The name of the list in the answer.
    var list: String {
        switch self {
        case .listRooms: "rooms"
        case .listParticipants: "participants"
        case .listEgress, .listIngress: "items"
        }
    }

    /// The answer has `next_page_token`.
    var hasPages: Bool {
        switch self {
        case .listRooms, .listParticipants: false
        case .listEgress, .listIngress: true
        }
    }

    /// The name of the grant that a token needs for it.
    var grant: String {
        switch self {
        case .listRooms: "roomList"
        case .listParticipants: "roomAdmin"
        case .listEgress: "roomRecord"
        case .listIngress: "ingressAdmin"
        }
    }
}
