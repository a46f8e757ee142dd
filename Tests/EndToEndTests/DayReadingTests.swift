import Testing

/// The tests' own reading of a day, checked before the product is.
@Suite struct DayReadingTests {
    @Test(arguments: ["small", "day"])
    func `the second reading of a day agrees with its maker`(name: String) throws {
        let day = try Day(name)
        var reduction = Reduction(region: "here")
        for post in day.posts where !post.isForged { try reduction.take(post.body) }
        let samples = reduction.all
        #expect(reduction.unresolved == 0)
        for (key, count) in day.truth.counters(region: "here") { #expect(samples[key] == count, "\(key)") }
        let events = day.truth.deliveredNew.values.reduce(0, +) + (day.truth.classes["semantic_duplicate"] ?? 0)
        let counted = samples.filter { $0.key.hasPrefix("lk_webhook_events_total") }.values.reduce(0, +)
        #expect(counted == Double(events))
        for (event, count) in day.truth.duplicates {
            #expect(samples["lk_webhook_duplicates_total{event=\"\(event)\"}"] == Double(count))
        }
        let open = samples.filter { $0.key.prefix { $0 != "{" }.hasSuffix("_active") }
        #expect(open.values.allSatisfy { $0 == 0 })
        let users = Dictionary(grouping: reduction.sessions.keys, by: \.organization)
        for (organization, count) in day.truth.uniqueUsers {
            #expect(Set((users[organization] ?? []).map(\.identity)).count == count)
        }
        // A payload has seconds, and the start of the signal connection. The generator has milliseconds, and the start
        // of media.
        for (name, sum) in [
            ("session_seconds:standard", "lk_participant_lifetime_seconds_sum"),
            ("room_seconds", "lk_room_duration_seconds_sum"),
        ] {
            let found = samples.filter { $0.key.hasPrefix(sum) }.values.reduce(0, +)
            let wanted = day.truth.seconds(name)
            #expect(abs(found - wanted) / wanted < 0.002, "\(name)")
        }
    }

    @Test func `moving a day moves every time and nothing else`() {
        let body = #"{"createdAt":"1790000000","joinedAtMs":"1790000000123","duration":"1790000000"}"#
        let moved = #"{"createdAt":"1790000010","joinedAtMs":"1790000010123","duration":"1790000000"}"#
        #expect(Day.moved(body, by_seconds: 10) == Array(moved.utf8))
        let nanoseconds = #"{"startedAt":"1790000000000000001","unixMicro":"1790000000000000"}"#
        let later = #"{"startedAt":"1790000001000000001","unixMicro":"1790000001000000"}"#
        #expect(Day.moved(nanoseconds, by_seconds: 1) == Array(later.utf8))
    }

    @Test func `the exposition is read with escapes and special values`() {
        let text = "# HELP a A.\na{x=\"1\\\"\\\\\\n\",b=\"2\"} 3\nb 4 1700000000000\nc{le=\"+Inf\"} +Inf\n"
        #expect(
            Exposition.samples(text) == ["a{b=\"2\",x=\"1\"\\\n\"}": 3, "b": 4, "c{le=\"+Inf\"}": .infinity])
    }
}
