internal import Wire

/// `Job`: an agent's work, of which only the room is read.
enum AgentJob {
    /// `room` of the `Job` message at `offset`; empty where there is none.
    static func room(_ bytes: Span<UInt8>, at offset: Int, metadataKey: String?) throws(DecodingFault) -> Room {
        var room = Room()
        var reader = JSONReader(at: offset)
        guard try reader.beginObject(bytes) else { return room }
        let name = JSONName("room")
        while let key = try reader.nextKey(bytes) {
            if key == name { room = try Room(bytes, at: reader.offset, metadataKey: metadataKey) }
            try reader.skip(bytes)
        }
        return room
    }
}
