package import Wire
import LiveKit
import Storage

// The stored form of inputs; `proto/journal.proto` describes it. The journal stores an event either as an input or in a
// form of its own.

extension Input {
    /// Appends the fields of the input.
    package func encode(into writer: inout MessageWriter) {
        switch self {
        case .event(let event, let receivedAt):
            writer.field(1, receivedAt.milliseconds)
            writer.message(2) { event.encode(into: &$0) }
        case .answer(let room, let result, let time):
            writer.field(1, time.milliseconds)
            writer.message(3) { writer in
                writer.field(1, room)
                switch result {
                case .success(let organization): writer.message(2) { organization.encode(into: &$0) }
                case .failure(let reason): writer.field(3, reason)
                }
            }
        case .report(let report, let time):
            writer.field(1, time.milliseconds)
            writer.message(4) { report.encode(into: &$0) }
        case .time(let time): writer.field(1, time.milliseconds)
        case .presence(let rows, let time):
            writer.field(1, time.milliseconds)
            writer.message(5) { writer in
                for row in rows { writer.message(1) { row.encode(into: &$0) } }
            }
        case .poll(let result, let time):
            writer.field(1, time.milliseconds)
            writer.message(6) { result.encode(into: &$0) }
        case .stopping(let time):
            writer.field(1, time.milliseconds)
            writer.field(7, true)
        case .clock(let ahead_ms, let time):
            writer.field(1, time.milliseconds)
            writer.message(8) { $0.field(1, ahead_ms) }
        }
    }

    /// Reads an input to the end of its message.
    package init(from reader: inout MessageReader) throws(MessageFault) {
        var time = Timestamp(milliseconds: 0)
        var event: Event?
        var answer: (room: String, result: Result<Organization, LookupError>)?
        var report: Report?
        var presence: [OpenPresence]?
        var poll: PollResult?
        var isStop = false
        var ahead_ms: Int64?
        while let field = try reader.next() {
            switch field {
            case 1: time = Timestamp(milliseconds: try reader.int64())
            case 2:
                var message = try reader.message()
                event = try Event(from: &message)
            case 3: answer = try Self.answer(reader.message())
            case 4:
                var message = try reader.message()
                report = try Report(from: &message)
            case 5: presence = try Self.presence(reader.message())
            case 6:
                var message = try reader.message()
                poll = try PollResult(from: &message)
            case 7: isStop = try reader.bool()
            case 8: ahead_ms = try Self.ahead_ms(reader.message())
            default: try reader.skip()
            }
        }
        if let event {
            self = .event(event, receivedAt: time)
        } else if let answer {
            self = .answer(room: answer.room, answer.result, at: time)
        } else if let report {
            self = .report(report, at: time)
        } else if let presence {
            self = .presence(presence, at: time)
        } else if let poll {
            self = .poll(poll, at: time)
        } else if let ahead_ms {
            self = .clock(ahead_ms: ahead_ms, at: time)
        } else {
            self = isStop ? .stopping(at: time) : .time(at: time)
        }
    }

    private static func answer(
        _ message: consuming MessageReader
    ) throws(MessageFault) -> (room: String, result: Result<Organization, LookupError>) {
        var reader = message
        var room = ""
        var result = Result<Organization, LookupError>.failure(.not_configured)
        while let field = try reader.next() {
            switch field {
            case 1: room = try reader.string()
            case 2:
                var message = try reader.message()
                result = .success(try Organization(from: &message))
            case 3: result = .failure(try reader.enumeration())
            default: try reader.skip()
            }
        }
        return (room, result)
    }

    private static func ahead_ms(_ message: consuming MessageReader) throws(MessageFault) -> Int64 {
        var reader = message
        var ahead_ms: Int64 = 0
        while let field = try reader.next() {
            if field == 1 { ahead_ms = try reader.int64() } else { try reader.skip() }
        }
        return ahead_ms
    }

    private static func presence(_ message: consuming MessageReader) throws(MessageFault) -> [OpenPresence] {
        var reader = message
        var rows: [OpenPresence] = []
        while let field = try reader.next() {
            guard field == 1 else {
                try reader.skip()
                continue
            }
            var row = try reader.message()
            rows.append(try OpenPresence(from: &row))
        }
        return rows
    }
}
