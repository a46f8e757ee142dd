package import Wire

/// A call of LiveKit's server API that lists something: its path, its body, and the token that allows it.
///
/// Each is a POST of JSON over Twirp. https://docs.livekit.io/reference/server/server-apis/
package enum ServerCall: Sendable, Hashable {
    /// The jobs that `Egress/ListEgress` is asked for.
    package enum EgressFilter: Sendable, Hashable {
        /// The jobs that have not ended.
        case active
        /// All jobs of the last 24 hours.
        case all
        /// One job. A server that does not have it answers `not_found` or an empty list.
        case id(String)
    }

    case listRooms(page: PageToken? = nil)
    /// The participants of the room with this name.
    case listParticipants(room: String, page: PageToken? = nil)
    case listEgress(EgressFilter, page: PageToken? = nil)
    /// All ingresses, or the one with this id. A server that does not have it answers `not_found` or an empty list.
    case listIngress(id: String? = nil, page: PageToken? = nil)

    package enum Limits {
        /// The lifetime of a token: longer than any request, and than the difference of two clocks. LiveKit adds a minute
        /// itself.
        package static let tokenLifetime = Duration.seconds(60)
    }

    /// The name of the method.
    package var name: String {
        switch self {
        case .listRooms: "ListRooms"
        case .listParticipants: "ListParticipants"
        case .listEgress: "ListEgress"
        case .listIngress: "ListIngress"
        }
    }

    /// The names of all methods.
    package static let names = ["ListRooms", "ListParticipants", "ListEgress", "ListIngress"]

    /// The grant that the token needs, as LiveKit calls it.
    package var grant: String {
        switch self {
        case .listRooms: "roomList"
        case .listParticipants: "roomAdmin"
        case .listEgress: "roomRecord"
        case .listIngress: "ingressAdmin"
        }
    }

    /// The path below the server's URL.
    package var path: String {
        switch self {
        case .listRooms, .listParticipants: "/twirp/livekit.RoomService/\(name)"
        case .listEgress: "/twirp/livekit.Egress/\(name)"
        case .listIngress: "/twirp/livekit.Ingress/\(name)"
        }
    }

    /// The body of the request.
    package var body: [UInt8] {
        var body: [UInt8] = []
        switch self {
        case .listRooms(let page): page?.append(to: &body)
        case .listParticipants(let room, let page):
            Self.append("room", room, to: &body)
            page?.append(to: &body)
        case .listEgress(let filter, let page):
            switch filter {
            case .active: body += #""active":true"#.utf8
            case .all: break
            case .id(let id): Self.append("egress_id", id, to: &body)
            }
            page?.append(to: &body)
        case .listIngress(let id, let page):
            if let id { Self.append("ingress_id", id, to: &body) }
            page?.append(to: &body)
        }
        return Array("{".utf8) + body + Array("}".utf8)
    }

    private static func append(_ name: String, _ value: String, to body: inout [UInt8]) {
        body += #""\#(name)":"#.utf8
        JSONText.append(value, to: &body)
    }

    /// Returns the token that lets its bearer make this call.
    package func token(_ signer: TokenSigner, at time: Timestamp) -> String {
        let lifetime = Limits.tokenLifetime
        return switch self {
        case .listRooms: signer.roomListToken(at: time, lifetime: lifetime)
        case .listParticipants(let room, _): signer.roomAdminToken(for: room, at: time, lifetime: lifetime)
        case .listEgress: signer.roomRecordToken(at: time, lifetime: lifetime)
        case .listIngress: signer.ingressAdminToken(at: time, lifetime: lifetime)
        }
    }

    /// The same call for the page with this token. Only egress and ingress have pages by now.
    package func next(_ page: PageToken) -> ServerCall {
        switch self {
        case .listRooms: .listRooms(page: page)
        case .listParticipants(let room, _): .listParticipants(room: room, page: page)
        case .listEgress(let filter, _): .listEgress(filter, page: page)
        case .listIngress(let id, _): .listIngress(id: id, page: page)
        }
    }
}

/// `next_page_token` of a list: the message `TokenPagination`, or a text.
/// https://github.com/livekit/protocol/blob/main/protobufs/livekit_models.proto
package struct PageToken: Sendable, Hashable {
    package let text: String
    /// It came as a message, and goes back as one.
    package let isMessage: Bool

    package init(_ text: String, isMessage: Bool = true) {
        self.text = text
        self.isMessage = isMessage
    }

    fileprivate func append(to body: inout [UInt8]) {
        if !body.isEmpty { body.append(UInt8(ascii: ",")) }
        body += (isMessage ? #""page_token":{"token":"# : #""page_token":"#).utf8
        JSONText.append(text, to: &body)
        if isMessage { body.append(UInt8(ascii: "}")) }
    }
}
