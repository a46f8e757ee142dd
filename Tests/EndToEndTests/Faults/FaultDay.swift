import TestSupport

/// The webhooks of a fault run: the small day with every kind of event, and beside it the first hour of many other
/// rooms, which ends with rooms open.
struct FaultDay: Sendable {
    /// The source of a room's organization.
    enum Source: String, CaseIterable, Sendable { case fixed, metadata, database }

    let posts: [Day.Post]
    /// The organization of each room, by name.
    let rooms: [String: String]

    /// - Parameter others: the number of posts of the other rooms.
    init(others: Int = 300) throws {
        let (small, large) = (try Day("small"), try Day("day", limit: others))
        var posts: [Day.Post] = []
        for index in 0..<max(small.posts.count, large.posts.count) {
            if index < small.posts.count { posts.append(small.posts[index]) }
            if index < large.posts.count { posts.append(large.posts[index]) }
        }
        let used = Set(posts.map(\.room))
        self.posts = posts
        rooms = small.truth.rooms.merging(large.truth.rooms) { $1 }.filter { used.contains($0.key) }
    }

    var webhooks: [RetryingSender.Webhook] { posts.map(\.webhook) }

    /// The sum of the first `count` posts, each taken once.
    func reduction(_ source: Source, _ count: Int? = nil) throws -> Reduction {
        var reduction = Reduction(
            region: "here", organizations: source == .database ? rooms : [:],
            only: source == .fixed ? "default" : nil)
        for post in posts.prefix(count ?? posts.count) where !post.isForged { try reduction.take(post.body) }
        return reduction
    }

    /// The settings for a source.
    static func environment(_ source: Source) -> [String: String] {
        switch source {
        case .fixed: ["ORG_SOURCE": "fixed"]
        case .metadata: ["ORG_SOURCE": "metadata", "ORG_METADATA_KEY": "org_id"]
        case .database: ["ORG_SOURCE": "database"]
        }
    }

    /// Statuses that are wrong, and duplicates without a reason. A repeated attempt is a duplicate if the one before
    /// was committed and its answer was lost. There is no other reason.
    ///
    /// - Parameter samples: the samples of lkpush when everything was answered.
    func deliveryProblems(
        _ record: RetryingSender.Record, _ expected: Reduction, _ samples: [String: Double]
    ) -> [String] {
        var problems: [String] = []
        var repeats: [String: Int] = [:]
        for (post, outcome) in zip(posts, record.outcomes) {
            if outcome.status != post.status {
                problems.append("a \(post.event) was answered \(outcome.status ?? 0) and not \(post.status)")
            }
            if !post.isForged { repeats[post.event, default: 0] += outcome.repeats }
        }
        for event in Set(posts.map(\.event)).sorted() {
            let key = "lk_webhook_duplicates_total{event=\"\(event)\"}"
            let (least, found) = (expected.samples[key] ?? 0, samples[key] ?? 0)
            if found < least || found > least + Double(repeats[event] ?? 0) {
                problems.append("\(key): \(found), with \(least) in the day and \(repeats[event] ?? 0) repeats")
            }
        }
        return problems
    }

    static func isDuplicates(_ key: String) -> Bool { key.hasPrefix("lk_webhook_duplicates_total") }
}

extension Day.Post {
    var webhook: RetryingSender.Webhook { .init(key: room, token: token, body: body) }
}
