import LiveKit
import Simulation
import Wire

/// The bodies of webhooks of the simulated office.
enum OfficeBodies {
    /// The size of a body in the promised figures.
    static let promised_bytes = 1_100

    private static let size = OfficeSize(organizations: 6, rooms: 6, users: 60, length: .seconds(3_600))

    /// Its bodies are taken only of the kinds that the other office lacks.
    private static let withGuests = OfficeSize(
        organizations: 6, rooms: 6, users: 60, length: .seconds(3_600), guests: .all)

    private static let day = OfficeSize(
        organizations: 100, rooms: 10, users: 400, length: .seconds(8 * 3_600), ending: .open)

    /// Returns up to `limit` bodies of each kind of event.
    static func byKind(limit: Int) -> [EventType: [[UInt8]]] {
        let bodies = byKind(limit: limit, in: size)
        return bodies.merging(byKind(limit: limit, in: withGuests)) { usual, _ in usual }
    }

    private static func byKind(limit: Int, in size: OfficeSize) -> [EventType: [[UInt8]]] {
        var office = Office(size: size, seed: 1)
        var bodies: [EventType: [[UInt8]]] = [:]
        while let webhook = office.next() {
            if bodies[webhook.event, default: []].count >= limit { continue }
            bodies[webhook.event, default: []].append(webhook.message.body(shift: TimeShift(seconds: 0)))
        }
        return bodies
    }

    /// Returns `count` different events of a long day, without repetitions, with times around `second`.
    static func stream(count: Int, second: Int64, seed: UInt64) -> [[UInt8]] {
        var bodies: [[UInt8]] = []
        bodies.reserveCapacity(count)
        forEach(second: second, seed: seed) { body in
            bodies.append(padded(body))
            return bodies.count < count
        }
        return bodies
    }

    /// Passes the bodies of a long day to `take`, until it returns false.
    static func forEach(second: Int64, seed: UInt64, _ take: ([UInt8]) -> Bool) {
        var office = Office(size: day, seed: seed)
        let shift = TimeShift(seconds: second - Office.epoch.milliseconds / 1_000)
        while let webhook = office.next() {
            if webhook.novelty == .duplicate { continue }
            if !take(webhook.message.body(shift: shift)) { return }
        }
    }

    /// Returns a body of the promised size. A shorter one gets an unknown field.
    static func padded(_ body: [UInt8]) -> [UInt8] {
        let field = Array(#","comment":""#.utf8)
        let missing = promised_bytes - body.count - field.count - 1
        guard missing > 0, body.last == UInt8(ascii: "}") else { return body }
        return body.dropLast() + field + [UInt8](repeating: UInt8(ascii: "x"), count: missing) + Array(#""}"#.utf8)
    }
}
