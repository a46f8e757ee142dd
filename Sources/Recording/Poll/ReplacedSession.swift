import LiveKit
import Wire

/// A session that was replaced by another one of the same identity. Its own end tells when it ended. If that is lost, it
/// ended when the other began.
struct ReplacedSession: Sendable, Equatable {
    let replacedAt: Timestamp
    /// The end that is applied if none comes: a `participant_left`.
    let end: Event

    init(replacedAt: Timestamp, end: Event) {
        self.replacedAt = replacedAt
        self.end = end
    }

    func encode(into writer: inout MessageWriter) {
        writer.field(1, replacedAt.milliseconds)
        writer.message(2) { end.encode(into: &$0) }
    }

    init(_ message: consuming MessageReader) throws(MessageFault) {
        var reader = message
        var replacedAt_ms: Int64 = 0
        var end = Event(body: .other)
        while let field = try reader.next() {
            switch field {
            case 1: replacedAt_ms = try reader.int64()
            case 2:
                var nested = try reader.message()
                end = try Event(from: &nested)
            default: try reader.skip()
            }
        }
        self.init(replacedAt: Timestamp(milliseconds: replacedAt_ms), end: end)
    }
}
