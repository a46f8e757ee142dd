internal import Wire

/// The message `Job`, the work of an agent. Only its room is read.
enum AgentJob {
    /// Reads `room` of the `Job` message at `offset`; an empty room if there is none.
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
