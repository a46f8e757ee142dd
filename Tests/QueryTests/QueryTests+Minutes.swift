import TestSupport
import Testing

// The questions of the article about usage, and the panels and rules about it.

extension QueryTests {
    @Test func `connection minutes, billed minutes and reasons at the end of the day are those of its webhooks`() throws
    {
        let usage = try DayUsage(lived.day)
        try #require(usage.all.count > 8)
        var ahead = 0.0
        for (organization, kind, wanted) in usage.all {
            let labels = #"{org_id="\#(organization)", kind="\#(kind)"}"#
            let seconds = try lived.value("lk_connection_seconds_total" + labels, organization) ?? 0
            let beyond = seconds - Double(wanted.duration_ms) / 1_000
            #expect(beyond > -0.0005, "\(organization) \(kind): \(seconds) of \(wanted.duration_ms) ms")
            ahead += beyond
            #expect(
                try lived.value("lk_connection_billed_minutes_total" + labels, organization)
                    == Double(wanted.billedMinutes), "\(organization) \(kind)")
            let ended = try lived.prometheus.query("lk_connections_ended_total" + labels, at: lived.end)
            let reasons = Dictionary(uniqueKeysWithValues: ended.map { ($0.labels["reason"] ?? "", $0.value) })
            #expect(reasons == wanted.reasons.mapValues(Double.init), "\(organization) \(kind)")
        }
        // What is shown beyond what was used is told, and it is a matter of seconds.
        let told = try lived.prometheus.query(#"lkpush_usage_ahead_seconds{usage="connection"}"#, at: lived.end)
        // The two visits of the day's troubles are no webhooks of the day. Each may be ahead by less than a second, as the
        // end of a visit is told in whole seconds.
        let beyond = try #require(told.first?.value) - ahead
        #expect(beyond > -0.001 && beyond < 2, "\(beyond) s beside \(ahead) s")
    }

    @Test func `the queries about minutes are near the truth of the day`() throws {
        let usage = try DayUsage(lived.day)
        let connected = try article.query("How many minutes were people connected?")
        let billed = try article.query("How many minutes are billed?")
        let lost = try article.query("How many people lose their connection?")
        let tracks = try article.query("How many minutes did each source of tracks last?")
        for organization in truth.orgs {
            let people = usage.of(organization, "standard")
            let minutes = Double(people.duration_ms) / 60_000
            #expect(isNear(try lived.value(connected, organization), minutes, within: 0.02))
            #expect(isNear(try lived.value(billed, organization), Double(people.billedMinutes), within: 0.03))
            let share = Double(people.reasons["connection_timeout"] ?? 0) / Double(people.ended) * 100
            #expect(isNear(try lived.value(lost, organization), share, within: 0.1))
            let sources = try lived.prometheus.query(lived.filled(tracks, organization: organization), at: lived.end)
            for source in ["camera", "microphone"] {
                let found = sources.first { $0.labels["source"] == source }?.value
                let wanted = truth.sum(organization, "track_seconds:\(source)") / 60
                #expect(isNear(found, wanted, within: 0.02), "\(organization) \(source)")
            }
        }
    }

    @Test func `the minutes of an hour are those of that hour, and not of the sessions that ended in it`() throws {
        let query = #"sum(increase(lk_connection_seconds_total{kind="standard"}[1h])) / 60"#
        var compared = 0
        for look in looks where look.minute >= 120 && look.minute % 60 == 0 {
            // In an hour the gauge of each minute is a minute of everybody who is there.
            let wanted = (look.minute - 60..<look.minute).reduce(0.0) { sum, minute in
                truth.orgs.reduce(sum) { $0 + truth.gauge($1, "participants:standard", minute: minute) }
            }
            let found = try lived.prometheus.query(query, at: look.time).first?.value
            #expect(isNear(found, wanted, within: 0.03), "minute \(look.minute): \(found ?? 0) of \(wanted)")
            compared += 1
        }
        #expect(compared > 6)
    }

    @Test func `panels and rules about lost connections tell the truth of the day`() throws {
        let usage = try DayUsage(lived.day)
        let panel = try #require(
            try Dashboards().queries.first {
                $0.dashboard == "platform" && $0.panel == "People who lost their connection"
            })
        let over = lived.filled(panel.expression.replacing("[1h]", with: "[$__range]"))
        let people = usage.all.filter { $0.kind == "standard" }.map(\.connections)
        let lost = people.reduce(0) { $0 + ($1.reasons["connection_timeout"] ?? 0) }
        let share = Double(lost) / Double(people.reduce(0) { $0 + $1.ended })
        #expect(isNear(try lived.prometheus.query(over, at: lived.end).first?.value, share, within: 0.05))
        // One in twenty is no alarm.
        let rules = try Rules()
        let alert = try #require(rules.rules.first { $0.name == "ConnectionsFail" })
        #expect(try lived.series(rules.inlined(alert.query)).isEmpty)
        let ratio = try #require(rules.rules.first { $0.name == "lkpush:connections_lost:ratio" })
        let values = try lived.series(ratio.query).flatMap(\.points).map(\.value)
        #expect(values.contains { $0 > 0 } && values.allSatisfy { $0 >= 0 && $0 <= 1 })
    }
}
