package import Wire

/// The methods of LiveKit's server API that lkpush calls, over Twirp: a POST of JSON.
/// https://docs.livekit.io/reference/server/server-apis/
package enum RoomService {
    /// The path below the server's URL. The bearer of the token must be an administrator of the room
    /// (`TokenSigner.roomAdminToken`).
    package static let removeParticipantPath = "/twirp/livekit.RoomService/RemoveParticipant"

    /// Returns the body of a request for the rooms with these names. Without names, LiveKit lists all rooms.
    package static func listRoomsBody(names: [String]) -> [UInt8] {
        var body = Array(#"{"names":["#.utf8)
        for (place, name) in names.enumerated() {
            if place > 0 { body.append(UInt8(ascii: ",")) }
            JSONText.append(name, to: &body)
        }
        body += "]}".utf8
        return body
    }

    /// Reads the answer to a request for rooms. LiveKit leaves out rooms that are not open.
    ///
    /// - Parameter metadataKey: the key in a room's metadata that names its organization; nil if nobody asks for it.
    package static func rooms(in body: Span<UInt8>, metadataKey: String?) throws(DecodingFault) -> [Room] {
        var rooms: [Room] = []
        var reader = JSONReader()
        guard try reader.beginObject(body) else { return [] }
        while let key = try reader.nextKeyText(body) {
            guard key == "rooms" else {
                try reader.skip(body)
                continue
            }
            guard try reader.beginArray(body) else { continue }
            while try reader.nextElement(body) {
                rooms.append(try Room(body, at: reader.offset, metadataKey: metadataKey))
                try reader.skip(body)
            }
        }
        return rooms
    }

    /// Returns the body of a request that removes the participant with this identity from the room with this name.
    package static func removeParticipantBody(room: String, identity: String) -> [UInt8] {
        var body = Array(#"{"room":"#.utf8)
        JSONText.append(room, to: &body)
        body += #","identity":"#.utf8
        JSONText.append(identity, to: &body)
        body.append(UInt8(ascii: "}"))
        return body
    }

    /// An error response says that LiveKit runs without the service that was called: on a single node without Redis there
    /// is neither egress nor ingress. It is an error of code `internal`, and only its message tells it from others.
    /// https://github.com/livekit/livekit/blob/master/pkg/service/errors.go
    package static func lacksService(_ body: Span<UInt8>) -> Bool {
        do throws(DecodingFault) {
            var reader = JSONReader()
            guard try reader.beginObject(body) else { return false }
            while let key = try reader.nextKeyText(body) {
                if key == "msg" {
                    return try reader.readString(body).hasSuffix("not connected (redis required)")
                }
                try reader.skip(body)
            }
            return false
        } catch {
            return false
        }
    }

    /// Returns the `code` of an error response, such as `not_found`; nil if it is not one of Twirp's. Nothing else of
    /// the response may be logged, because its message may hold names.
    /// https://twitchtv.github.io/twirp/docs/spec_v7.html#error-codes
    package static func errorCode(in body: Span<UInt8>) -> String? {
        do throws(DecodingFault) {
            var reader = JSONReader()
            guard try reader.beginObject(body) else { return nil }
            while let key = try reader.nextKeyText(body) {
                guard key == "code" else {
                    try reader.skip(body)
                    continue
                }
                let code = try reader.readText(body) ?? ""
                let isCode = code.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "_") }
                return isCode && (1...longestCode_bytes).contains(code.utf8.count) ? code : nil
            }
            return nil
        } catch {
            // A response that is cut off or not JSON comes from something between lkpush and LiveKit.
            return nil
        }
    }

    /// The longest code. The longest of Twirp's has 19 letters.
    private static let longestCode_bytes = 32
}
