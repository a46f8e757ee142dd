import Foundation
import TestSupport
import Testing
import Wire

/// A recorded day of webhooks with its own times, and the truth about it.
struct SimulatedDay {
    struct Post: Sendable {
        /// When LiveKit delivered it, in milliseconds.
        let deliveredAt: Timestamp
        let createdAt: Timestamp
        let room: String
        let event: String
        let body: [UInt8]
        let isForged: Bool
        /// False if the same webhook came before.
        let isNew: Bool
        /// True if another webhook has told the same.
        let isRepeatedFact: Bool
    }

    let posts: [Post]
    let truth: Truth

    /// The begin of the day: 8 o'clock in Germany.
    var start: Timestamp { Timestamp(milliseconds: truth.start_ms) }

    init() throws {
        let folder = Repository.root + "/Tests/EndToEndTests/Data/"
        truth = try JSONDecoder().decode(Truth.self, from: Self.unpacked(folder + "day.truth.json.gz"))
        let lines = try Self.unpacked(folder + "day.jsonl.gz").split(separator: UInt8(ascii: "\n"))
        let decoder = JSONDecoder()
        posts = try lines.map { try decoder.decode(Record.self, from: Data($0)).post }
    }

    private static func unpacked(_ path: String) throws -> Data {
        let (status, output) = ChildProcess.run("/usr/bin/gzip", ["-dc", path])
        try #require(status == 0)
        return Data(output.utf8)
    }

    /// One line of the recording.
    private struct Record: Decodable {
        struct Expected: Decodable {
            let room: String
            let event: String
            let created_at: Int64
            let `class`: String
        }

        let deliver_at_ms: Int64
        let body: String
        let expected: Expected

        var post: Post {
            Post(
                deliveredAt: Timestamp(milliseconds: deliver_at_ms), createdAt: Timestamp(seconds: expected.created_at),
                room: expected.room, event: expected.event, body: Array(body.utf8),
                isForged: expected.class == "forged", isNew: ["new", "semantic_duplicate"].contains(expected.class),
                isRepeatedFact: expected.class == "semantic_duplicate")
        }
    }
}

/// The truth about a day, as its generator recorded it.
struct Truth: Decodable {
    /// The state of all organizations at one time.
    struct Moment: Decodable {
        let t_ms: Int64
        /// Numbers by organization and name, such as `participants:standard` or `tracks:camera`.
        let orgs: [String: [String: Double]]
    }

    /// The organization of each room, by name.
    let rooms: [String: String]
    let orgs: [String]
    let start_ms: Int64
    let delivered_new_by_event: [String: Int]
    let duplicates_by_event: [String: Int]
    /// Sums by organization and name, such as `egress_ended:web:failed`.
    let org_truth: [String: [String: Double]]
    let unique_users: [String: Int]
    let gauges_each_minute: [Moment]

    /// The sum of one organization over all names with this begin, such as `egress_media_seconds:`.
    func sum(_ organization: String, _ prefix: String, where suffixes: [String] = [""]) -> Double {
        (org_truth[organization] ?? [:]).reduce(0) { sum, entry in
            entry.key.hasPrefix(prefix) && suffixes.contains(where: entry.key.hasSuffix) ? sum + entry.value : sum
        }
    }

    /// A number of one organization at a minute of the day.
    func gauge(_ organization: String, _ name: String, minute: Int) -> Double {
        gauges_each_minute[minute].orgs[organization]?[name] ?? 0
    }
}
