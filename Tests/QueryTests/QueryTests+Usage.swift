import TestSupport
import Testing

// The questions of the article about recordings, webhooks and alerts.

extension QueryTests {
    /// The seconds of completed recordings.
    private func recorded(_ organization: String) -> Double {
        truth.sum(organization, "egress_media_seconds:", where: [":complete", ":limit_reached"])
    }

    private func limit(_ organization: String) -> Double {
        Double(lived.database.organizations.first { $0.id == organization }?.limit_minutes ?? 0)
    }

    @Test func `recorded minutes and the used share of the limit are the truth, and the older queries are empty`()
        throws
    {
        let minutes = try article.query("How many minutes did an organization record this month?")
        let share = try article.query("How much of its limit did an organization use?")
        let line = try article.query("Where is the line of the limit?")
        let completed = try article.query("How many recordings were completed?")
        for organization in truth.orgs {
            let (seconds, limit) = (recorded(organization), limit(organization))
            #expect(isNear(try lived.value(minutes, organization), seconds / 60))
            let count = truth.sum(organization, "egress_ended:", where: [":complete", ":limit_reached"])
            #expect(try lived.value(completed, organization) == count)
            if limit > 0 {
                #expect(isNear(try lived.value(share, organization), seconds / 60 / limit * 100))
                #expect(try lived.value(line, organization) == limit)
            } else {
                #expect(try lived.value(share, organization) == nil && lived.value(line, organization) == nil)
            }
        }
        #expect(truth.orgs.count { limit($0) > 0 } == 3)
        for question in ["How much of its limit did an organization use?", "Is the limit of recordings near?"] {
            let older = try article.older(question)
            for organization in truth.orgs {
                let found = try lived.prometheus.query(
                    lived.filled(older, organization: organization), from: lived.begin, to: lived.end, step: 600)
                #expect(found.isEmpty)
            }
        }
        // Mended by half, it fires for everybody without a limit who records.
        let half = try article.older("Is the limit of recordings near?").replacing(
            "> lk_", with: "> ignoring (window) lk_")
        for organization in truth.orgs where limit(organization) == 0 && recorded(organization) > 0 {
            #expect(try lived.value(half, organization) != nil)
        }
    }

    @Test func `the success rate of recordings is near the truth`() throws {
        let rate = try article.query("How many recordings succeed?")
        for organization in truth.orgs {
            let all = truth.sum(organization, "egress_ended:")
            let good = truth.sum(organization, "egress_ended:", where: [":complete", ":limit_reached"])
            #expect(isNear(try lived.value(rate, organization), good / all * 100, within: 0.03))
        }
        #expect(try lived.value(rate, OfficeDatabase.troubled) == nil)
        // The older one is no number in an hour in which nothing ended.
        let older = try article.older("How many recordings succeed?")
        let values = try looks.flatMap { look in
            try truth.orgs.compactMap { try lived.value(older, $0, at: look.time) }
        }
        #expect(values.contains(where: \.isNaN) && values.contains { $0 == 100 })
    }

    @Test func `webhooks are counted as they came, and silence is seen`() throws {
        let found = try lived.prometheus.query("sum by (event) (lk_webhook_events_total)", at: lived.end)
        // One visit in a room that nobody knows, and one whose row the database refuses.
        let own = ["room_started": 2.0, "participant_joined": 2, "participant_left": 2, "room_finished": 2]
        for (event, count) in truth.delivered_new_by_event {
            let value = found.first { $0.labels["event"] == event }?.value
            let repeated = lived.day.posts.count { $0.isRepeatedFact && $0.event == event }
            #expect(value == Double(count + repeated) + (own[event] ?? 0), "\(event)")
        }
        let duplicates = try lived.prometheus.query("sum by (event) (lk_webhook_duplicates_total)", at: lived.end)
        for (event, count) in truth.duplicates_by_event {
            #expect(duplicates.first { $0.labels["event"] == event }?.value == Double(count), "\(event)")
        }
        let rates = try lived.series(try article.query("How many webhooks come?"))
        #expect(rates.contains { $0.labels["event"] == "participant_joined" })

        let arrivals = try article.query("Does LiveKit still send?")
        let older = try article.older("Does LiveKit still send?")
        let noon = try #require(looks.first { $0.minute == 240 }).time
        #expect(try lived.prometheus.query(arrivals, at: noon).first?.value ?? 0 > 100)
        let alarms = try lived.prometheus.query(older, at: noon).compactMap { $0.labels["event"] }
        #expect(alarms.contains { $0.hasPrefix("ingress") || $0.hasPrefix("egress") || $0.hasPrefix("room") })
        // Before the first event ever.
        #expect(try lived.prometheus.query(older, at: lived.begin - 3_600).isEmpty)
        #expect(try lived.prometheus.query(arrivals, at: lived.begin - 3_600).first?.value == 0)
    }

    @Test func `lag and duplicates are those of the day`() throws {
        let lag = try article.query("How late are webhooks?")
        let values = try lived.series(lag).flatMap(\.points).map(\.value).filter { !$0.isNaN }
        #expect(values.count > 100)
        // The day's webhooks come up to 9 s late, those of the restart up to 21 s.
        #expect(values.allSatisfy { $0 > 0 && $0 <= 30 }, "\(values.max() ?? 0)")
        #expect(values.contains { $0 > 1 })
        let share = try article.query("How many webhooks come twice?")
        let shares = try lived.series(share).flatMap(\.points).map(\.value).filter { !$0.isNaN }
        #expect(shares.contains { $0 > 0.005 } && shares.allSatisfy { $0 < 0.5 })
        #expect(try lived.series("rate(lk_webhook_duplicates_total[5m]) > 1").isEmpty)
        #expect(try !lived.series("rate(lk_webhook_duplicates_total[5m]) > 0").isEmpty)
    }

    @Test func `the older alert about users fires for an organization that never had any`() throws {
        let older = try article.older("Did an organization lose its users?")
        let fired = try lived.prometheus.query(older, at: lived.end).compactMap { $0.labels["org_id"] }
        #expect(fired == [OfficeDatabase.troubled])
    }

    @Test func `every query of the page runs and has a result`() throws {
        for (question, query) in article.all("promql") {
            let results = try truth.orgs.map { organization in
                try lived.prometheus.query(
                    lived.filled(query, organization: organization), from: lived.begin, to: lived.end, step: 600)
            }
            let isEmpty = results.allSatisfy(\.isEmpty)
            let mayBeEmpty = [
                try article.older("How many people have their camera on?"),
                try article.older("How much of its limit did an organization use?"),
                try article.older("Is the limit of recordings near?"),
                // The day has no webhooks of agent jobs.
                try article.query("How long does one wait for an agent?"),
            ]
            #expect(isEmpty == mayBeEmpty.contains(query), "\(question)")
        }
    }
}
