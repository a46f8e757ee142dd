package import Wire

/// A row of `room_presence` with its organization: a participant who was connected when the row was written.
package struct OpenPresence: Sendable, Hashable {
    package var participantSID: String
    package var roomSID: String
    /// Empty if the row has none.
    package var roomName: String
    package var organization: Organization
    package var userID: Int64
    package var identity: String
    package var joinedAt: Timestamp

    package init(
        participantSID: String, roomSID: String, roomName: String, organization: Organization, userID: Int64,
        identity: String, joinedAt: Timestamp
    ) {
        self.participantSID = participantSID
        self.roomSID = roomSID
        self.roomName = roomName
        self.organization = organization
        self.userID = userID
        self.identity = identity
        self.joinedAt = joinedAt
    }

    /// Appends the fields of the row.
    package func encode(into writer: inout MessageWriter) {
        writer.field(1, participantSID)
        writer.field(2, roomSID)
        writer.field(3, roomName)
        writer.message(4) { organization.encode(into: &$0) }
        writer.field(5, userID)
        writer.field(6, identity)
        writer.field(7, joinedAt.milliseconds)
    }

    /// Reads a row to the end of its message.
    package init(from reader: inout MessageReader) throws(MessageFault) {
        self.init(
            participantSID: "", roomSID: "", roomName: "", organization: Organization(id: "", name: ""), userID: 0,
            identity: "", joinedAt: Timestamp(milliseconds: 0))
        while let field = try reader.next() {
            switch field {
            case 1: participantSID = try reader.string()
            case 2: roomSID = try reader.string()
            case 3: roomName = try reader.string()
            case 4:
                var message = try reader.message()
                organization = try Organization(from: &message)
            case 5: userID = try reader.int64()
            case 6: identity = try reader.string()
            case 7: joinedAt = Timestamp(milliseconds: try reader.int64())
            default: try reader.skip()
            }
        }
    }
}
