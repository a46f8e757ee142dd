import LiveKit
import Wire

/// The decoding of bodies into events, one case for each kind.
enum DecodingCases {
    static var all: [BenchmarkCase] {
        EventType.allCases.map { type in
            BenchmarkCase("decode/\(type.rawValue)", per: "body") { workload(bodies(of: type)) }
        }
    }

    private static func workload(_ bodies: [[UInt8]]) -> Workload {
        let decoder = EventDecoder(metadataKey: "org_id")
        let bytes = bodies.reduce(0) { $0 + $1.count } / bodies.count
        // Rare kinds have few bodies in the office. They are repeated, so that a sample is long enough to time.
        let rounds = max(1, 256 / bodies.count)
        var copy = [UInt8](repeating: 0, count: bodies.map(\.count).max() ?? 0)
        return Workload(
            operations: bodies.count * rounds,
            run: {
                for _ in 0..<rounds {
                    for body in bodies {
                        let event = decode(body, decoder)
                        blackHole(event)
                    }
                }
            },
            lowerBound: .init(name: "memcpy", operations: bodies.count * rounds) {
                for _ in 0..<rounds {
                    for body in bodies {
                        copyBytes(of: body, to: &copy)
                    }
                }
            },
            note: { "\(bytes) bytes" })
    }

    /// Decodes a body. Traps if it cannot be decoded, because the office sends no such body.
    private static func decode(_ body: [UInt8], _ decoder: EventDecoder) -> Event {
        do throws(DecodingFault) {
            return try decoder.decode(body.span)
        } catch {
            preconditionFailure("the office's bodies can be read: \(error)")
        }
    }

    /// Returns the bodies of a kind. An unknown event is a participant's event with another name, because the office
    /// has no unknown events.
    private static func bodies(of type: EventType) -> [[UInt8]] {
        let known = OfficeBodies.byKind(limit: 64)
        if type != .other { return known[type] ?? [] }
        return (known[.participantJoined] ?? []).map { body in
            Array(#"{"event":"participant_active""#.utf8) + body.drop { $0 != UInt8(ascii: ",") }
        }
    }
}
