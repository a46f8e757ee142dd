package import Wire

/// One page of a list of LiveKit's server API.
///
/// An answer without the list is an empty list only if it is `{}`, or if it has the token of a page beside: protojson may
/// leave out what is empty. Anything else that is not the list throws: no JSON, `null`, an array, an object with other
/// fields only, a body that ends too early. Elements without an id are left out, because nothing can be told of them.
package struct ListPage<Element: ListedElement>: Sendable {
    package private(set) var elements: [Element] = []
    /// The token of the next page; nil on the last one.
    package private(set) var next: PageToken?

    /// Reads the body of an answer.
    ///
    /// - Parameter metadataKey: the key in a room's metadata that names its organization; nil if nobody asks for it.
    package init(_ body: Span<UInt8>, metadataKey: String? = nil) throws(DecodingFault) {
        let (list, token) = (JSONName(Element.field), [JSONName("next_page_token"), JSONName("nextPageToken")])
        var (isEmpty, isKnown) = (true, false)
        var reader = JSONReader()
        guard try reader.beginObject(body) else { throw DecodingFault(.wrong_type, at: 0) }
        while let key = try reader.nextKey(body) {
            isEmpty = false
            if key == list {
                isKnown = true
                try readList(&reader, body, metadataKey)
            } else if token.contains(key) {
                isKnown = true
                next = try Self.readToken(&reader, body)
            } else {
                try reader.skip(body)
            }
        }
        try reader.finish(body)
        guard isEmpty || isKnown else { throw DecodingFault(.wrong_type, at: 0) }
    }

    private mutating func readList(
        _ reader: inout JSONReader, _ body: Span<UInt8>, _ metadataKey: String?
    ) throws(DecodingFault) {
        elements.removeAll()
        guard try reader.beginArray(body) else { throw DecodingFault(.wrong_type, at: reader.offset) }
        while try reader.nextElement(body) {
            let element = try Element(&reader, body, metadataKey: metadataKey)
            if element.hasID { elements.append(element) }
        }
    }

    private static func readToken(
        _ reader: inout JSONReader, _ body: Span<UInt8>
    ) throws(DecodingFault) -> PageToken? {
        var text = ""
        let isMessage = try reader.peek(body) != UInt8(ascii: "\"")
        if !isMessage {
            text = try reader.readString(body)
        } else if try reader.beginObject(body) {
            let name = JSONName("token")
            while let key = try reader.nextKey(body) {
                if key == name { text = try reader.readString(body) } else { try reader.skip(body) }
            }
        }
        return text.isEmpty ? nil : PageToken(text, isMessage: isMessage)
    }
}

/// An element of a list of LiveKit's server API.
package protocol ListedElement: Sendable {
    /// The name of the list in an answer, in both casings.
    static var field: String { get }

    /// It has the id without which it is nothing.
    var hasID: Bool { get }

    /// Reads the element that comes next.
    init(_ reader: inout JSONReader, _ bytes: Span<UInt8>, metadataKey: String?) throws(DecodingFault)
}

extension JSONReader {
    /// Enters the object of an element, which is never `null`.
    fileprivate mutating func beginElement(_ bytes: Span<UInt8>) throws(DecodingFault) {
        guard try beginObject(bytes) else { throw DecodingFault(.wrong_type, at: offset) }
    }
}

extension ListedRoom: ListedElement {
    package static let field = "rooms"
    package var hasID: Bool { !room.sid.isEmpty }

    package init(_ reader: inout JSONReader, _ bytes: Span<UInt8>, metadataKey: String?) throws(DecodingFault) {
        self.init(room: try Room(bytes, at: reader.offset, metadataKey: metadataKey))
        try reader.beginElement(bytes)
        while let key = try reader.nextKey(bytes) {
            switch Self.fields[key] {
            case .numParticipants: participants = Int(clamping: try reader.readAmount(bytes))
            case .emptyTimeout: emptyTimeout_s = try reader.readTime(bytes, unitsPerSecond: 1)
            case .departureTimeout: departureTimeout_s = try reader.readTime(bytes, unitsPerSecond: 1)
            case nil: try reader.skip(bytes)
            }
        }
    }

    private enum Field { case numParticipants, emptyTimeout, departureTimeout }

    private static let fields = NameTable<Field>(fields: [
        ("numParticipants", .numParticipants), ("emptyTimeout", .emptyTimeout),
        ("departureTimeout", .departureTimeout),
    ])
}

extension ListedParticipant: ListedElement {
    package static let field = "participants"
    package var hasID: Bool { !participant.sid.isEmpty }

    package init(_ reader: inout JSONReader, _ bytes: Span<UInt8>, metadataKey: String?) throws(DecodingFault) {
        var room = Room()
        self.init(participant: try Participant(bytes, at: reader.offset, completing: &room, metadataKey: nil))
        try reader.beginElement(bytes)
        while let key = try reader.nextKey(bytes) {
            switch Self.fields[key] {
            case .state: isActive = try Self.activeStates[reader.readEnumeration(bytes)]
            case .tracks:
                guard try reader.beginArray(bytes) else { continue }
                tracks.removeAll()
                while try reader.nextElement(bytes) {
                    let track = try Track(bytes, at: reader.offset, completing: &room, metadataKey: nil)
                    if !track.sid.isEmpty { tracks.append(track) }
                    try reader.skip(bytes)
                }
            case .permission:
                guard try reader.beginObject(bytes) else { continue }
                let hidden = JSONName("hidden")
                while let key = try reader.nextKey(bytes) {
                    if key == hidden {
                        isHidden = try reader.readBoolean(bytes) ?? false
                    } else {
                        try reader.skip(bytes)
                    }
                }
            case nil: try reader.skip(bytes)
            }
        }
    }

    private enum Field { case state, tracks, permission }

    private static let fields = NameTable<Field>([
        ("state", .state), ("tracks", .tracks), ("permission", .permission),
    ])

    /// JOINING is the absent value.
    private static let activeStates = EnumerationTable<Bool>(absent: false, unknown: false, [("ACTIVE", 2, true)])
}

extension ListedEgress: ListedElement {
    package static let field = "items"
    package var hasID: Bool { !egress.id.isEmpty }

    package init(_ reader: inout JSONReader, _ bytes: Span<UInt8>, metadataKey: String?) throws(DecodingFault) {
        let message = try EgressInfo(bytes, at: reader.offset)
        self.init(egress: message.egress, room: Room(sid: message.roomSID, name: message.roomName))
        try reader.beginElement(bytes)
        while let key = try reader.nextKey(bytes) {
            switch Self.fields[key] {
            case .updatedAt: updatedAt_ns = try reader.readTime(bytes, unitsPerSecond: 1_000_000_000)
            case nil: try reader.skip(bytes)
            }
        }
    }

    private enum Field { case updatedAt }

    private static let fields = NameTable<Field>(fields: [("updatedAt", .updatedAt)])
}

extension ListedIngress: ListedElement {
    package static let field = "items"
    package var hasID: Bool { !ingress.id.isEmpty }

    package init(_ reader: inout JSONReader, _ bytes: Span<UInt8>, metadataKey: String?) throws(DecodingFault) {
        let message = try IngressInfo(bytes, at: reader.offset)
        self.init(ingress: message.ingress, room: Room(sid: message.roomSID, name: message.roomName))
        let state = JSONName("state")
        try reader.beginElement(bytes)
        while let key = try reader.nextKey(bytes) {
            if key == state { try readState(&reader, bytes) } else { try reader.skip(bytes) }
        }
    }

    private mutating func readState(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodingFault) {
        guard try reader.beginObject(bytes) else { return }
        // A state without a status has the one that protojson leaves out, ENDPOINT_INACTIVE.
        activity = .ended
        let status = JSONName("status")
        while let key = try reader.nextKey(bytes) {
            if key == status {
                activity = try Self.activities[reader.readEnumeration(bytes)]
            } else {
                try reader.skip(bytes)
            }
        }
    }

    private static let activities = EnumerationTable<Activity>(
        absent: .ended, unknown: .unknown,
        [
            ("ENDPOINT_INACTIVE", 0, .ended), ("ENDPOINT_BUFFERING", 1, .running), ("ENDPOINT_PUBLISHING", 2, .running),
            ("ENDPOINT_ERROR", 3, .ended), ("ENDPOINT_COMPLETE", 4, .ended),
        ])
}
