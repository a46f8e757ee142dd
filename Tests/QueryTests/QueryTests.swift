import TestSupport
import Testing

/// The queries of the documentation, the dashboards and the rules, over a simulated day in a real Prometheus.
@Suite(.serialized, .livedDay) struct QueryTests {
    /// The day, which all tests share.
    let lived: LivedDay
    let article: QueriesArticle

    init() throws {
        lived = try #require(LivedDay.current)
        article = try QueriesArticle()
    }

    /// The looks for which the truth has gauges.
    var looks: [LivedDay.Look] { lived.looks.filter { $0.minute < lived.day.truth.gauges_each_minute.count } }

    @Test func `the gauges in Prometheus are the truth of the day at every look`() throws {
        var differences: [String] = []
        for look in looks {
            for (metric, name) in [
                ("lk_room_active", "rooms"), ("lk_participants_active", "participants:standard"),
                ("lk_egress_active", "egress"), (#"lk_tracks_active{source="camera"}"#, "tracks:camera"),
            ] {
                let found = try lived.prometheus.query("sum by (org_id) (\(metric))", at: look.time)
                for organization in lived.day.truth.orgs {
                    let wanted = lived.day.truth.gauge(organization, name, minute: look.minute)
                    let value = found.first { $0.labels["org_id"] == organization }?.value ?? 0
                    if value != wanted {
                        differences.append("\(look.minute) \(organization) \(name): \(wanted) \(value)")
                    }
                }
            }
        }
        #expect(differences.isEmpty, "\(differences.prefix(20).joined(separator: "\n"))")
    }
}

/// Lives through the day before the first test of a suite, and lets it go after the last one.
struct LivedDayTrait: SuiteTrait, TestScoping {
    func provideScope(
        for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void
    ) async throws {
        let day = LivedDayBox(day: try LivedDay())
        try await LivedDay.$box.withValue(day) { try await function() }
    }
}

extension Trait where Self == LivedDayTrait {
    static var livedDay: LivedDayTrait { LivedDayTrait() }
}

/// `@unchecked Sendable`: the tests of the suite are serialized, so one thread at a time uses the day.
final class LivedDayBox: @unchecked Sendable {
    let day: LivedDay
    init(day: LivedDay) { self.day = day }
}

extension LivedDay {
    @TaskLocal static var box: LivedDayBox?
    static var current: LivedDay? { box?.day }
}
