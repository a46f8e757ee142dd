import Foundation
import LiveKit
import Platform
import TestSupport
import Testing
import Wire

/// A recorded day, moved so that it ends a moment ago, and signed again. A receiver checks tokens against its clock,
/// and the windows of reports end now.
///
/// Every time in a body is moved by the same number of whole seconds, so every duration stays the same.
struct Day {
    struct Post: Sendable {
        let room: String
        /// The name of the event.
        let event: String
        let body: [UInt8]
        let token: String
        let status: Int
        let isForged: Bool
    }

    let posts: [Post]
    /// The truth about the day, as its generator recorded it.
    let truth: DayTruth

    /// - Parameter limit: the number of posts from the start of the day. The truth is always that of the whole day.
    init(_ name: String, limit: Int = .max) throws {
        let folder = try #require(Bundle.module.resourcePath) + "/Data/"
        let lines = try Self.content(folder + "\(name).jsonl").split(separator: "\n").prefix(limit)
        truth = try DayTruth(Self.content(folder + "\(name).truth.json"))
        let now = SystemTime().now().milliseconds / 1_000
        let records = try lines.map { line in
            try #require(JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        }
        let last = records.map { Self.expected($0)["created_at"] as? Int64 ?? 0 }.max() ?? 0
        let shift = now - 5 - last
        let signer = TokenSigner(key: BuiltProgram.key, secret: Secret(BuiltProgram.secret))
        let forger = TokenSigner(key: BuiltProgram.key, secret: Secret("wrongwrongwrongwrongwrong"))
        posts = try records.map { record in
            let expected = Self.expected(record)
            let isForged = expected["class"] as? String == "forged"
            let body = Self.moved(try #require(record["body"] as? String), by_seconds: shift)
            let token = (isForged ? forger : signer).webhookToken(
                for: body.span, at: Timestamp(seconds: now), lifetime: .seconds(3_600))
            return Post(
                room: try #require(expected["room"] as? String), event: try #require(expected["event"] as? String),
                body: body, token: token, status: try #require(expected["http"] as? Int), isForged: isForged)
        }
    }

    private static func expected(_ record: [String: Any]) -> [String: Any] {
        record["expected"] as? [String: Any] ?? [:]
    }

    /// The text of a file, or of the same file in compressed form.
    private static func content(_ path: String) throws -> String {
        if FileManager.default.fileExists(atPath: path) { return try String(contentsOfFile: path, encoding: .utf8) }
        let (status, output) = ChildProcess.run("/usr/bin/gzip", ["-dc", path + ".gz"])
        try #require(status == 0)
        return output
    }

    private static let times: Set<Substring> = [
        "createdAt", "creationTime", "creationTimeMs", "joinedAt", "joinedAtMs", "startedAt", "endedAt", "updatedAt",
        "unixMicro",
    ]

    /// A body with all times moved. The number of its digits shows the unit of a time.
    static func moved(_ body: String, by_seconds shift: Int64) -> [UInt8] {
        var words = body.split(separator: "\"", omittingEmptySubsequences: false)
        for index in words.indices.dropFirst(2) where words[index - 1] == ":" && times.contains(words[index - 2]) {
            guard let time = Int64(words[index]) else { continue }
            let unit: Int64 =
                switch words[index].count {
                case ...10: 1
                case 11...13: 1_000
                case 14...16: 1_000_000
                default: 1_000_000_000
                }
            words[index] = Substring(String(time + shift * unit))
        }
        return Array(words.joined(separator: "\"").utf8)
    }

    /// Sends the posts as LiveKit does: those of one room in order, rooms side by side. Checks the statuses. Returns
    /// the number of repeated attempts by event.
    func send(to port: UInt16, _ range: Range<Int>? = nil) -> [String: Int] {
        let posts = posts[range ?? 0..<posts.count]
        let sender = RetryingSender(posts.map(\.webhook), to: port, patience: .untilAnswered(scaledBy: 0.01))
        #expect(sender.waitUntilAllSettled())
        let record = sender.stop()
        for (number, (post, outcome)) in zip(posts, record.outcomes).enumerated() where outcome.status != post.status {
            Issue.record("post \(number) was answered \(outcome.status ?? 0) and not \(post.status)")
        }
        return record.repeats(of: posts)
    }
}

extension RetryingSender.Record {
    /// The number of attempts, by event, before the ones that settled these posts.
    func repeats(of posts: some Sequence<Day.Post>) -> [String: Int] {
        var repeats: [String: Int] = [:]
        for (post, outcome) in zip(posts, outcomes) where !post.isForged && outcome.repeats > 0 {
            repeats[post.event, default: 0] += outcome.repeats
        }
        return repeats
    }
}
