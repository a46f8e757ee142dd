import Foundation
import Wire

/// The usage of the simulated day, as its webhooks tell it: the time from the join of a connection to its end, by
/// organization and kind, and the reasons. Where the end of the room comes before the leave, that is the reason.
struct DayUsage {
    /// What is known of the connections of one organization and kind.
    struct Connections {
        var duration_ms = Int64(0)
        var ended = 0
        var billedMinutes = Int64(0)
        var reasons: [String: Int] = [:]
    }

    private(set) var connections: [String: [String: Connections]] = [:]

    init(_ day: SimulatedDay) throws {
        var endedRooms: Set<String> = []
        for post in day.posts where post.isNew && !post.isRepeatedFact {
            guard ["room_finished", "participant_left"].contains(post.event),
                let body = try JSONSerialization.jsonObject(with: Data(post.body)) as? [String: Any],
                let room = body["room"] as? [String: Any],
                let sid = room["sid"] as? String, let name = room["name"] as? String
            else { continue }
            if post.event == "room_finished" { endedRooms.insert(sid) }
            guard let participant = body["participant"] as? [String: Any],
                let organization = day.truth.rooms[name],
                let joined_ms = Int64(participant["joinedAtMs"] as? String ?? "")
            else { continue }
            let kind = (participant["kind"] as? String ?? "standard").lowercased()
            let told = (participant["disconnectReason"] as? String ?? "unknown").lowercased()
            let reason = endedRooms.contains(sid) ? "room_closed" : told
            // The end is told in whole seconds, so it may seem to lie before the join.
            let duration_ms = max(0, post.createdAt.milliseconds - joined_ms)
            var found = connections[organization]?[kind] ?? Connections()
            found.duration_ms += duration_ms
            found.ended += 1
            found.billedMinutes += (duration_ms + 59_999) / 60_000
            found.reasons[reason, default: 0] += 1
            connections[organization, default: [:]][kind] = found
        }
    }

    /// The connections of an organization, of one kind.
    func of(_ organization: String, _ kind: String) -> Connections {
        connections[organization]?[kind] ?? Connections()
    }

    /// All organizations and kinds that occur.
    var all: [(organization: String, kind: String, connections: Connections)] {
        connections.flatMap { organization, kinds in kinds.map { (organization, $0.key, $0.value) } }
    }
}
