package import Wire

// The stored form of rows; `proto/journal.proto` describes it.

extension StoreRow {
    /// Appends the fields of the row.
    package func encode(into writer: inout MessageWriter) {
        switch self {
        case .session(let row): writer.message(1) { row.encode(into: &$0) }
        case .recording(let row): writer.message(2) { row.encode(into: &$0) }
        case .present(let row): writer.message(3) { row.encode(into: &$0) }
        case .absent(let participantSID): writer.element(4, participantSID)
        case .usage(let row): writer.message(5) { row.encode(into: &$0) }
        }
    }

    /// Reads a row to the end of its message. Throws if there is none.
    package init(from reader: inout MessageReader) throws(MessageFault) {
        var row: StoreRow?
        while let field = try reader.next() {
            switch field {
            case 1: row = .session(try SessionRow(from: reader.message()))
            case 2: row = .recording(try RecordingRow(from: reader.message()))
            case 3: row = .present(try PresenceRow(from: reader.message()))
            case 4: row = .absent(participantSID: try reader.string())
            case 5: row = .usage(try UsageRow(from: reader.message()))
            default: try reader.skip()
            }
        }
        guard let row else { throw MessageFault("a row is of no known kind") }
        self = row
    }
}

extension SessionRow {
    fileprivate func encode(into writer: inout MessageWriter) {
        writer.message(1) { owner.encode(into: &$0) }
        writer.field(2, userID)
        writer.field(3, day.daysSinceEpoch)
        writer.field(4, duration_seconds)
    }

    fileprivate init(from message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        var owner: RowOwner?
        var userID: Int64 = 0
        var day = 0
        var duration_seconds = 0.0
        while let field = try reader.next() {
            switch field {
            case 1: owner = try RowOwner(in: reader.message())
            case 2: userID = try reader.int64()
            case 3: day = try reader.int()
            case 4: duration_seconds = try reader.double()
            default: try reader.skip()
            }
        }
        self.init(
            owner: try RowOwner.present(owner), userID: userID, day: CivilDate(daysSinceEpoch: day),
            duration_seconds: duration_seconds)
    }
}

extension RecordingRow {
    fileprivate func encode(into writer: inout MessageWriter) {
        writer.message(1) { owner.encode(into: &$0) }
        writer.field(2, egressID)
        writer.field(3, roomName)
        writer.field(4, requestType)
        writer.field(5, status)
        if let startedAt { writer.element(6, startedAt.milliseconds) }
        writer.field(7, endedAt.milliseconds)
        if let duration_seconds { writer.element(8, fraction: duration_seconds) }
        writer.field(9, size_bytes)
        writer.field(10, location)
        writer.field(11, error)
        writer.field(12, expiresAt.milliseconds)
    }

    fileprivate init(from message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        var owner: RowOwner?
        let none = Timestamp(milliseconds: 0)
        var row = RecordingRow(
            owner: .room(name: ""), egressID: "", roomName: "", requestType: "", status: "", startedAt: nil,
            endedAt: none, duration_seconds: nil, size_bytes: 0, location: "", error: "", expiresAt: none)
        while let field = try reader.next() {
            switch field {
            case 1: owner = try RowOwner(in: reader.message())
            case 2: row.egressID = try reader.string()
            case 3: row.roomName = try reader.string()
            case 4: row.requestType = try reader.string()
            case 5: row.status = try reader.string()
            case 6: row.startedAt = Timestamp(milliseconds: try reader.int64())
            case 7: row.endedAt = Timestamp(milliseconds: try reader.int64())
            case 8: row.duration_seconds = try reader.double()
            case 9: row.size_bytes = try reader.int64()
            case 10: row.location = try reader.string()
            case 11: row.error = try reader.string()
            case 12: row.expiresAt = Timestamp(milliseconds: try reader.int64())
            default: try reader.skip()
            }
        }
        row.owner = try RowOwner.present(owner)
        self = row
    }
}

extension PresenceRow {
    fileprivate func encode(into writer: inout MessageWriter) {
        writer.message(1) { owner.encode(into: &$0) }
        writer.field(2, participantSID)
        writer.field(3, roomSID)
        writer.field(4, roomName)
        writer.field(5, userID)
        writer.field(6, identity)
        writer.field(7, joinedAt.milliseconds)
    }

    fileprivate init(from message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        var owner: RowOwner?
        var row = PresenceRow(
            owner: .room(name: ""), participantSID: "", roomSID: "", roomName: "", userID: 0, identity: "",
            joinedAt: Timestamp(milliseconds: 0))
        while let field = try reader.next() {
            switch field {
            case 1: owner = try RowOwner(in: reader.message())
            case 2: row.participantSID = try reader.string()
            case 3: row.roomSID = try reader.string()
            case 4: row.roomName = try reader.string()
            case 5: row.userID = try reader.int64()
            case 6: row.identity = try reader.string()
            case 7: row.joinedAt = Timestamp(milliseconds: try reader.int64())
            default: try reader.skip()
            }
        }
        row.owner = try RowOwner.present(owner)
        self = row
    }
}

extension UsageRow {
    fileprivate func encode(into writer: inout MessageWriter) {
        writer.message(1) { owner.encode(into: &$0) }
        writer.field(2, day.daysSinceEpoch)
        writer.field(3, usage)
        writer.field(4, duration_ms)
        writer.field(5, count)
        writer.field(6, billed_minutes)
    }

    fileprivate init(from message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        var owner: RowOwner?
        var row = UsageRow(
            owner: .room(name: ""), day: CivilDate(daysSinceEpoch: 0), usage: "", duration_ms: 0)
        while let field = try reader.next() {
            switch field {
            case 1: owner = try RowOwner(in: reader.message())
            case 2: row.day = CivilDate(daysSinceEpoch: try reader.int())
            case 3: row.usage = try reader.string()
            case 4: row.duration_ms = try reader.int64()
            case 5: row.count = try reader.int64()
            case 6: row.billed_minutes = try reader.int64()
            default: try reader.skip()
            }
        }
        row.owner = try RowOwner.present(owner)
        self = row
    }
}

extension RowOwner {
    fileprivate init(in message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        try self.init(from: &reader)
    }

    fileprivate static func present(_ owner: RowOwner?) throws(MessageFault) -> RowOwner {
        guard let owner else { throw MessageFault("a row has no owner") }
        return owner
    }
}
