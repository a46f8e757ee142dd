package import LiveKit
package import Wire

/// An event that was verified, with its receive time.
package struct AcceptedEvent: Sendable {
    package var event: Event
    package var receivedAt: Timestamp

    package init(event: Event, receivedAt: Timestamp) {
        self.event = event
        self.receivedAt = receivedAt
    }

    /// Encodes the entry of the journal's table `events`.
    package func encode(into writer: inout MessageWriter) {
        writer.field(1, receivedAt.milliseconds)
        writer.message(2) { event.encode(into: &$0) }
    }

    /// Decodes an entry of the journal's table `events`.
    init(from reader: inout MessageReader) throws(MessageFault) {
        var receivedAt_ms: Int64 = 0
        var event: Event?
        while let field = try reader.next() {
            switch field {
            case 1: receivedAt_ms = try reader.int64()
            case 2:
                var message = try reader.message()
                event = try Event(from: &message)
            default: try reader.skip()
            }
        }
        guard let event else { throw MessageFault("an entry without an event") }
        self.init(event: event, receivedAt: Timestamp(milliseconds: receivedAt_ms))
    }
}
