import Wire

/// The body of a call of the server API, with the members that the office's LiveKit obeys.
struct APIRequest {
    var names: [String] = []
    var room = ""
    var roomName = ""
    var egressID = ""
    var ingressID = ""
    var isActiveOnly = false
    /// The token of the page; empty for the first one.
    var page = ""

    /// Reads the body. An empty one is an empty message.
    init(_ body: [UInt8]) throws(DecodingFault) {
        guard !body.isEmpty else { return }
        let bytes = body.span
        var reader = JSONReader()
        guard try reader.beginObject(bytes) else { throw DecodingFault(.wrong_type, at: 0) }
        while let key = try reader.nextKeyText(bytes) {
            switch key {
            case "names":
                guard try reader.beginArray(bytes) else { continue }
                while try reader.nextElement(bytes) { names.append(try reader.readText(bytes) ?? "") }
            case "room": room = try reader.readText(bytes) ?? ""
            case "room_name", "roomName": roomName = try reader.readText(bytes) ?? ""
            case "egress_id", "egressId": egressID = try reader.readText(bytes) ?? ""
            case "ingress_id", "ingressId": ingressID = try reader.readText(bytes) ?? ""
            case "active": isActiveOnly = try reader.readBoolean(bytes) ?? false
            case "page_token", "pageToken": page = try Self.page(&reader, bytes)
            default: try reader.skip(bytes)
            }
        }
        try reader.finish(bytes)
    }

    /// Reads the message `TokenPagination`.
    private static func page(_ reader: inout JSONReader, _ bytes: Span<UInt8>) throws(DecodingFault) -> String {
        var token = ""
        guard try reader.beginObject(bytes) else { return token }
        while let key = try reader.nextKeyText(bytes) {
            if key == "token" { token = try reader.readText(bytes) ?? "" } else { try reader.skip(bytes) }
        }
        return token
    }
}
