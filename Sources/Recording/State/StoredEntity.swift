import LiveKit
import Storage
import Wire

// The stored form of open entities; `proto/journal.proto` describes it. A place is written plus 1, so that 0 means
// none.

/// An element of an `EntityTable` that can be saved.
protocol StoredEntity: Entity {
    func encode(into writer: inout MessageWriter)
    init(from reader: inout MessageReader) throws(MessageFault)
}

extension MessageWriter {
    mutating func field(_ number: Int, _ slot: Slot<some Any>) { field(number, UInt64(slot.position + 1)) }
}

extension MessageReader {
    mutating func slot<Element>() throws(MessageFault) -> Slot<Element> {
        let place = try uint64()
        guard place <= UInt64(Int32.max) else { throw MessageFault("a place is none") }
        return Slot(position: Int32(place) - 1)
    }

    /// Reads a small number that is not negative, such as an index in a list.
    mutating func index() throws(MessageFault) -> Int {
        let value = try uint64()
        guard value <= UInt64(Int32.max) else { throw MessageFault("a number is too large") }
        return Int(value)
    }
}

extension EntityTable where Element: StoredEntity {
    /// Writes the elements in the order of their places, and the free places.
    func encode(into writer: inout MessageWriter, elements number: Int, free: Int) {
        for place in 0..<places_count {
            let slot = slot(at: place)
            if slot.isNone { continue }
            let message = writer.begin(number)
            self[slot].encode(into: &writer)
            writer.end(message)
        }
        for place in self.free { writer.field(free, UInt64(place + 1)) }
    }
}

extension RoomState: StoredEntity {
    func encode(into writer: inout MessageWriter) {
        writer.field(1, key)
        writer.field(2, name)
        writer.field(3, organization)
        if let start_ms { writer.element(4, start_ms) }
        writer.field(5, lastEvent_ms)
        writer.field(6, received_ms)
        writer.field(7, number)
        writer.field(8, isStartCounted)
        writer.field(9, began_s)
        writer.field(10, lastStart_s)
        writer.field(11, isLaterLife)
        writer.field(12, lastBeginning.at_s)
        writer.field(13, lastBeginning.start_ms)
        writer.field(14, firstStart_s)
        writer.field(15, listed_ms)
        writer.field(16, agreed_ms)
        writer.field(17, strangerJoin_ms)
    }

    init(from reader: inout MessageReader) throws(MessageFault) {
        self.init()
        lastEvent_ms = 0
        received_ms = 0
        while let field = try reader.next() {
            switch field {
            case 1: key = try reader.string()
            case 2: name = try reader.slot()
            case 3: organization = try reader.slot()
            case 4: start_ms = try reader.int64()
            case 5: lastEvent_ms = try reader.int64()
            case 6: received_ms = try reader.int64()
            case 7: number = try reader.uint64()
            case 8: isStartCounted = try reader.bool()
            case 9: began_s = try reader.int64()
            case 10: lastStart_s = try reader.int64()
            case 11: isLaterLife = try reader.bool()
            case 12: lastBeginning.at_s = try reader.int64()
            case 13: lastBeginning.start_ms = try reader.int64()
            case 14: firstStart_s = try reader.int64()
            case 15: listed_ms = try reader.int64()
            case 16: agreed_ms = try reader.int64()
            case 17: strangerJoin_ms = try reader.int64()
            default: try reader.skip()
            }
        }
    }
}

extension ParticipantState: StoredEntity {
    func encode(into writer: inout MessageWriter) {
        writer.field(1, key)
        writer.field(2, identity)
        writer.field(3, room)
        writer.field(4, UInt64(placeInRoom))
        writer.field(5, hasJoined)
        if kind != .standard { writer.field(6, kind) }
        writer.field(7, join_ms)
        writer.field(8, lastEvent_ms)
        writer.field(9, fixed: UInt64(bitPattern: userID))
        writer.field(10, isPresenceStored)
        writer.field(11, isStartCounted)
        writer.field(12, began_s)
        writer.field(13, isLaterLife)
        writer.field(14, isEndCounted)
        writer.field(15, received_ms)
        writer.field(16, usage)
        writer.field(17, direction)
        writer.field(18, agentName)
        writer.field(19, isAgentJob)
        writer.field(20, isEndDoubtful)
    }

    init(from reader: inout MessageReader) throws(MessageFault) {
        self.init()
        lastEvent_ms = 0
        while let field = try reader.next() {
            switch field {
            case 1: key = try reader.string()
            case 2: identity = try reader.string()
            case 3: room = try reader.slot()
            case 4: placeInRoom = try reader.index()
            case 5: hasJoined = try reader.bool()
            case 6: kind = try reader.enumeration()
            case 7: join_ms = try reader.int64()
            case 8: lastEvent_ms = try reader.int64()
            case 9: userID = Int64(bitPattern: try reader.fixed64())
            case 10: isPresenceStored = try reader.bool()
            case 11: isStartCounted = try reader.bool()
            case 12: began_s = try reader.int64()
            case 13: isLaterLife = try reader.bool()
            case 14: isEndCounted = try reader.bool()
            case 15: received_ms = try reader.int64()
            case 16: usage = try UsageShare(from: reader.message())
            case 17: direction = try reader.enumeration()
            case 18: agentName = try reader.string()
            case 19: isAgentJob = try reader.bool()
            case 20: isEndDoubtful = try reader.bool()
            default: try reader.skip()
            }
        }
    }
}

extension TrackState: StoredEntity {
    func encode(into writer: inout MessageWriter) {
        writer.field(1, key)
        writer.field(2, participant)
        writer.field(3, UInt64(placeInParticipant))
        writer.field(4, UInt64(label))
        writer.field(5, lastEvent_ms)
        writer.field(6, began_s)
        if let version { writer.field(7, fixed: version.packed) }
        writer.field(8, lastPublished_s)
        writer.field(9, hasReturned)
        writer.field(10, isAdopted)
        writer.field(11, usage)
    }

    init(from reader: inout MessageReader) throws(MessageFault) {
        self.init()
        lastEvent_ms = 0
        while let field = try reader.next() {
            switch field {
            case 1: key = try reader.string()
            case 2: participant = try reader.slot()
            case 3: placeInParticipant = try reader.index()
            case 4: label = try reader.index()
            case 5: lastEvent_ms = try reader.int64()
            case 6: began_s = try reader.int64()
            case 7: version = TrackVersion(packed: try reader.fixed64())
            case 8: lastPublished_s = try reader.int64()
            case 9: hasReturned = try reader.bool()
            case 10: isAdopted = try reader.bool()
            case 11: usage = try UsageShare(from: reader.message())
            default: try reader.skip()
            }
        }
    }
}

extension JobState: StoredEntity {
    func encode(into writer: inout MessageWriter) {
        writer.field(1, key)
        writer.field(2, name)
        writer.field(3, organization)
        writer.field(4, UInt64(label))
        if let start_ms { writer.element(5, start_ms) }
        writer.field(6, received_ms)
        writer.field(7, UInt64(attempt))
        writer.field(8, UInt64(facts.bits))
        writer.field(9, roomSID)
        writer.field(10, ingressID)
        writer.field(11, listed_ms)
        writer.field(12, usage)
        writer.field(13, isActive)
        writer.field(14, agentName)
        writer.field(15, isPending)
        writer.field(16, pendingSince_ms)
    }

    init(from reader: inout MessageReader) throws(MessageFault) {
        self.init()
        received_ms = 0
        while let field = try reader.next() {
            switch field {
            case 1: key = try reader.string()
            case 2: name = try reader.slot()
            case 3: organization = try reader.slot()
            case 4: label = try reader.index()
            case 5: start_ms = try reader.int64()
            case 6: received_ms = try reader.int64()
            case 7: attempt = try reader.index()
            case 8: facts = Facts(bits: UInt16(truncatingIfNeeded: try reader.uint64()) & 0x7FFF)
            case 9: roomSID = try reader.string()
            case 10: ingressID = try reader.string()
            case 11: listed_ms = try reader.int64()
            case 12: usage = try UsageShare(from: reader.message())
            case 13: isActive = try reader.bool()
            case 14: agentName = try reader.string()
            case 15: isPending = try reader.bool()
            case 16: pendingSince_ms = try reader.int64()
            default: try reader.skip()
            }
        }
        guard attempt <= Facts.lastAttempt else { throw MessageFault("a job has too many attempts") }
    }
}

extension RoomNameState: StoredEntity {
    /// The stage of the search for its organization.
    private enum Stage: StoredEnumeration {
        case unresolved, waiting, known, failed
        static let inStoredOrder: [Stage] = [.unresolved, .waiting, .known, .failed]
    }

    func encode(into writer: inout MessageWriter) {
        writer.field(1, key)
        switch resolution {
        case .unresolved: break
        case .waiting: writer.field(2, Stage.waiting)
        case .known(let organization):
            writer.field(2, Stage.known)
            writer.field(3, organization)
        case .failed(let reason, let retryAt_ms):
            writer.field(2, Stage.failed)
            writer.field(4, reason)
            writer.field(5, retryAt_ms)
        }
        writer.field(6, isAsked)
        writer.field(7, refreshAt_ms)
        writer.field(8, lastEvent_ms)
        writer.field(9, lastUse_ms)
        writer.field(10, number)
        for room in rooms { writer.field(11, room) }
        for job in egress { writer.field(12, job) }
        for job in ingress { writer.field(13, job) }
        for job in agentJobs { writer.field(14, job) }
    }

    init(from reader: inout MessageReader) throws(MessageFault) {
        self.init()
        refreshAt_ms = 0
        lastEvent_ms = 0
        lastUse_ms = 0
        var stage = Stage.unresolved
        var organization = Slot<OrganizationState>.none
        var reason = LookupError.not_configured
        var retryAt_ms: Int64 = 0
        while let field = try reader.next() {
            switch field {
            case 1: key = try reader.string()
            case 2: stage = try reader.enumeration()
            case 3: organization = try reader.slot()
            case 4: reason = try reader.enumeration()
            case 5: retryAt_ms = try reader.int64()
            case 6: isAsked = try reader.bool()
            case 7: refreshAt_ms = try reader.int64()
            case 8: lastEvent_ms = try reader.int64()
            case 9: lastUse_ms = try reader.int64()
            case 10: number = try reader.uint64()
            case 11: rooms.append(try reader.slot())
            case 12: egress.append(try reader.slot())
            case 13: ingress.append(try reader.slot())
            case 14: agentJobs.append(try reader.slot())
            default: try reader.skip()
            }
        }
        resolution =
            switch stage {
            case .unresolved: .unresolved
            case .waiting: .waiting
            case .known: .known(organization)
            case .failed: .failed(reason, retryAt_ms: retryAt_ms)
            }
    }
}
