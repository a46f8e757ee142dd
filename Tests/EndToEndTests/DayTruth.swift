import Foundation
import Testing

/// The truth about a recorded day, as its generator recorded it (`*.truth.json`).
struct DayTruth {
    /// The organization of each room, by name.
    let rooms: [String: String]
    /// Webhooks by event: those with a new id, and those with a known one.
    let deliveredNew: [String: Int]
    let duplicates: [String: Int]
    /// Webhooks by the class of answer that they should get.
    let classes: [String: Int]
    let uniqueUsers: [String: Int]
    /// Sums by organization and name, such as `egress_ended:web:failed`.
    let counts: [String: [String: Double]]

    init(_ text: String) throws {
        let json = try #require(JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
        rooms = try #require(json["rooms"] as? [String: String])
        deliveredNew = try #require(json["delivered_new_by_event"] as? [String: Int])
        duplicates = try #require(json["duplicates_by_event"] as? [String: Int])
        classes = try #require(json["classes"] as? [String: Int])
        uniqueUsers = try #require(json["unique_users"] as? [String: Int])
        counts = try #require(json["org_truth"] as? [String: [String: Double]])
    }

    /// The counters that follow from it, with the names and labels of `/metrics`.
    func counters(region: String) -> [String: Double] {
        var samples: [String: Double] = [:]
        for (organization, counts) in counts {
            for (name, count) in counts {
                let words = name.split(separator: ":").map(String.init)
                guard let (metric, labels) = Self.series(words) else { continue }
                let shared = ["org_id": organization, "project": "default", "region": region]
                samples[Exposition.key(metric, labels.merging(shared) { $1 }), default: 0] += count
            }
        }
        return samples
    }

    private static func series(_ words: [String]) -> (String, [String: String])? {
        switch (words[0], words.count) {
        case ("rooms_started", 1): return ("lk_rooms_started_total", [:])
        case ("rooms_finished", 1): return ("lk_rooms_finished_total", [:])
        case ("sessions", 2) where words[1] == "standard": return ("lk_participant_sessions_total", [:])
        case ("tracks_published", 2):
            let isAudio = ["microphone", "screen_share_audio"].contains(words[1])
            return ("lk_tracks_published_total", ["source": words[1], "type": isAudio ? "audio" : "video"])
        case ("egress_started", 2): return ("lk_egress_started_total", ["request_type": words[1]])
        case ("egress_ended", 3):
            let result = ["complete", "limit_reached"].contains(words[2]) ? "success" : "failed"
            return ("lk_egress_ended_total", ["request_type": words[1], "result": result])
        case ("ingress_started", 2): return ("lk_ingress_started_total", ["input_type": words[1]])
        case ("ingress_ended", 3):
            return ("lk_ingress_ended_total", ["input_type": words[1], "result": words[2]])
        default: return nil
        }
    }

    /// The sum over all organizations of a name such as `session_seconds:standard`.
    func seconds(_ name: String) -> Double { counts.values.reduce(0) { $0 + ($1[name] ?? 0) } }
}
