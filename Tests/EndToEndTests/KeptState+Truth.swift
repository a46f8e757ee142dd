import LiveKit
import Platform
import TestSupport
import Testing
import Wire

extension KeptState {
    /// From the least to the most times that something may be there: what was answered, and what may have been taken.
    typealias Bounds = [String: [Int]]

    /// What was known of a state when its program was killed. What is optional is not known of the first versions.
    struct Truth: Decodable {
        /// What had been pushed.
        struct Pushed: Decodable {
            /// The time of the newest sample.
            let read_ms: Int64
            /// The value of each series that the receiver held as alive, by `WriteRequest.TimeSeries.text`.
            let series: [String: Double]
        }

        /// Webhooks that end what was open.
        struct Endings: Decodable {
            let letters: [String]
            /// By how much they change the sums of metrics. Versions before 0.8.0 counted no connections.
            private let changes: [String: Double]
            /// The SIDs of those who are not present any more then.
            let absent: [String]

            /// By how much they change the sums of metrics. Everybody in them is of kind STANDARD.
            var allChanges: [String: Double] {
                let connections = [
                    "lk_connections_active": changes["lk_participants_active"],
                    "lk_connections_ended_total": changes["lk_participant_lifetime_seconds_count"],
                ]
                return changes.merging(connections.compactMapValues { $0 }) { told, _ in told }
            }
        }

        let version: String
        /// Seconds since 1970.
        let killed_at: Int
        /// Of the program, as far as series depend on them.
        let settings: [String: String]?
        /// Counters of `/metrics`, just before the kill.
        let scrape: [String: Double]
        let events: Bounds
        /// Sessions of one minute, by user.
        let sessions: Bounds
        let recordings: Bounds
        /// Rows that the database refuses, by user.
        let refused: Bounds?
        /// Who is in the table of those who are present, by SID.
        let presence: Bounds?
        /// The sums of the gauges of what is open.
        let open: Bounds?
        let pushed: Pushed?
        /// The least number of samples that waited in the spool of the destination `default`.
        let samples_waiting: Double?
        /// Webhooks, under ids of their own, about what has ended: they change nothing.
        let echoes: [String]?
        let endings: Endings?
    }
}

extension KeptState.Truth {
    /// The settings that say which series there are.
    var labels: [String: String] {
        settings ?? ["REGION": "local", "ENVIRONMENT": "", "HISTOGRAM_LONG_BUCKETS": "false"]
    }

    /// Posts webhooks, signed now by the clock of the program with these variables.
    func post(_ letters: [String], to port: UInt16, by environment: [String: String]) throws {
        let now = KeptState.now(environment)
        let signer = TokenSigner(key: BuiltProgram.key, secret: Secret(BuiltProgram.secret))
        let client = try LoopbackClient(port: port)
        for letter in letters {
            let body = Array(letter.utf8)
            let token = signer.webhookToken(for: body.span, at: now, lifetime: .seconds(3_600))
            let headers = ["Authorization": token, "Content-Type": "application/webhook+json"]
            #expect(client.post("/webhook", headers, body)?.status == 200)
        }
    }

    /// One line for each counter that is lower than it was, or counts what was not sent.
    func differences(from samples: [String: Double]) -> [String] {
        var lines: [String] = []
        // With labels in one order.
        let scraped = Exposition.samples(scrape.map { "\($0.key) \($0.value)" }.joined(separator: "\n"))
        if scraped.count != scrape.count { lines.append("\(scraped.count) of \(scrape.count) samples could be read") }
        for (name, value) in scraped.sorted(by: { $0.key < $1.key }) where samples[name] ?? -1 < value {
            lines.append("\(name) was \(value) and is \(samples[name].map { "\($0)" } ?? "gone")")
        }
        let counted = events.keys.map { ($0, Int(samples["lk_webhook_events_total{event=\"\($0)\"}"] ?? 0)) }
        lines += Self.outside(events, Dictionary(uniqueKeysWithValues: counted), "counted")
        let sums = Self.sums(samples)
        return lines + Self.outside(open ?? [:], sums.mapValues { Int($0) }, "open")
    }

    /// One line for each row that is missing or comes twice.
    ///
    /// - Parameter absent: SIDs of those who have left since.
    func differences(from database: ApplicationDatabase, absent: [String] = []) throws -> [String] {
        var lines: [String] = []
        let activity = try database.rows(
            """
            SELECT user_id, SUM(session_count), SUM(total_duration_seconds) FROM participant_activity_metrics GROUP BY 1
            """)
        var counts: [String: Int] = [:]
        for row in activity {
            let (user, seconds) = (try #require(row[0]), Double(row[2] ?? "") ?? -1)
            let count = Int(row[1] ?? "") ?? -1
            counts[user] = count
            if sessions[user] != nil && seconds != Double(60 * count) {
                lines.append("user \(user): \(count) sessions of \(seconds) s")
            }
            if refused?[user] != nil { lines.append("user \(user) was refused and is there") }
        }
        lines += Self.outside(sessions, counts, "sessions of user")
        lines += Self.outside(recordings, try count("egress_id FROM recordings", in: database), "recording")
        let present = try count("participant_sid FROM room_presence", in: database)
        var expected = presence ?? [:]
        for sid in absent { expected[sid] = [0, 0] }
        return lines + Self.outside(expected, present, "present")
    }

    /// One line for each row that was refused and is not kept for people, or is kept twice.
    ///
    /// - Parameter journal: of a program that has ended.
    func differences(fromSetAsideIn journal: ApplicationDatabase) throws -> [String] {
        let users = try count("json_extract(row, '$.user_id') FROM set_aside", in: journal)
        let unknown = users.keys.filter { refused?[$0] == nil }
        return unknown.map { "user \($0) was set aside" } + Self.outside(refused ?? [:], users, "set aside of user")
    }

    /// Whether a series counts what LiveKit did: restarts do not lower it.
    func isCounter(_ series: String) -> Bool {
        let name = series.prefix { $0 != "{" }
        return name.hasPrefix("lk_") && ["_total", "_count", "_sum", "_bucket"].contains { name.hasSuffix($0) }
    }

    /// The sum of all series of each metric.
    static func sums(_ samples: [String: Double]) -> [String: Double] {
        var sums: [String: Double] = [:]
        for (name, value) in samples { sums[String(name.prefix { $0 != "{" }), default: 0] += value }
        return sums
    }

    /// How often each value comes that a query gives.
    private func count(_ query: String, in database: ApplicationDatabase) throws -> [String: Int] {
        try database.rows("SELECT " + query).reduce(into: [:]) { $0[$1[0] ?? "", default: 0] += 1 }
    }

    private static func outside(_ bounds: KeptState.Bounds, _ found: [String: Int], _ what: String) -> [String] {
        bounds.sorted { $0.key < $1.key }.compactMap { key, bounds in
            let count = found[key] ?? 0
            return count >= bounds[0] && count <= bounds[1] ? nil : "\(what) \(key): \(count), \(bounds) expected"
        }
    }
}
