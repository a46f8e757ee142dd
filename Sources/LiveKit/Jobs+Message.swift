import Wire

// The stored form of jobs, inside that of an event.

extension Egress {
    func encode(into writer: inout MessageWriter) {
        writer.field(1, id)
        writer.field(2, requestType)
        writer.field(3, status)
        writer.field(4, startedAt_ns)
        writer.field(5, endedAt_ns)
        writer.field(6, retryCount)
        writer.field(7, media_ns)
        writer.field(8, size_bytes)
        writer.field(9, location)
        writer.field(10, error)
        writer.field(11, errorCode)
    }

    init(from message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        self.init()
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.string()
            case 2: requestType = try reader.enumeration()
            case 3: status = try reader.enumeration()
            case 4: startedAt_ns = try reader.int64()
            case 5: endedAt_ns = try reader.int64()
            case 6: retryCount = try reader.int64()
            case 7: media_ns = try reader.int64()
            case 8: size_bytes = try reader.int64()
            case 9: location = try reader.string()
            case 10: error = try reader.string()
            case 11: errorCode = try reader.int64()
            default: try reader.skip()
            }
        }
    }
}

extension Egress.RequestType: StoredEnumeration {
    package static let inStoredOrder: [Egress.RequestType] = [
        .unknown, .room_composite, .web, .track, .participant, .track_composite, .template, .media, .replay,
    ]
}

extension Egress.Status: StoredEnumeration {
    package static let inStoredOrder: [Egress.Status] = [
        .starting, .active, .ending, .complete, .failed, .aborted, .limitReached, .other,
    ]
}

extension Ingress {
    func encode(into writer: inout MessageWriter) {
        writer.field(1, id)
        writer.field(2, resourceID)
        writer.field(3, inputType)
        writer.field(4, startedAt_ns)
        writer.field(5, endedAt_ns)
        writer.field(6, hasFailed)
    }

    init(from message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        self.init()
        while let field = try reader.next() {
            switch field {
            case 1: id = try reader.string()
            case 2: resourceID = try reader.string()
            case 3: inputType = try reader.enumeration()
            case 4: startedAt_ns = try reader.int64()
            case 5: endedAt_ns = try reader.int64()
            case 6: hasFailed = try reader.bool()
            default: try reader.skip()
            }
        }
    }
}

extension Ingress.InputType: StoredEnumeration {
    package static let inStoredOrder: [Ingress.InputType] = [.rtmp, .whip, .url, .unknown]
}
