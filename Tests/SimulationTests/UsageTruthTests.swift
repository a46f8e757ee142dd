import LiveKit
import Simulation
import Testing
import Wire

@Suite struct UsageTruthTests {
    private static func truth(of webhooks: [SimulatedWebhook], shift: TimeShift = TimeShift(seconds: 0)) -> Truth {
        var truth = Truth()
        for webhook in webhooks { truth.count(webhook, shift: shift) }
        return truth
    }

    private static func use(_ organization: String, _ usage: String) -> UsageTruth.Use {
        UsageTruth.Use(organization: organization, usage: usage)
    }

    @Test func `connections of people are the lifetimes of the histogram, to the millisecond`() {
        let truth = Self.truth(of: OfficeTests.afternoon(guests: .all))
        for (organization, account) in truth.accounts {
            let people = truth.usage.totals[Self.use(organization, "connection:standard")]
            #expect(people?.count == Int64(account.lifetimes.count))
            #expect(people?.duration_ms == Int64((account.lifetimes.sum * 1_000).rounded()))
        }
    }

    @Test func `recordings and streams are the durations of their histograms`() {
        let truth = Self.truth(of: OfficeTests.afternoon(guests: .all))
        for (organization, account) in truth.accounts {
            for type in Egress.RequestType.allCases {
                let durations = account.recordingDurations.filter { $0.key.kind == type }.values
                let amount = truth.usage.totals[Self.use(organization, "egress:\(type.rawValue)")]
                #expect(amount?.count ?? 0 == Int64(durations.reduce(0) { $0 + $1.count }))
                #expect(amount?.duration_ms ?? 0 == Int64((durations.reduce(0) { $0 + $1.sum } * 1_000).rounded()))
            }
            for type in Ingress.InputType.allCases {
                let durations = account.streamDurations.filter { $0.key.kind == type }.values
                let amount = truth.usage.totals[Self.use(organization, "ingress:\(type.rawValue)")]
                #expect(amount?.duration_ms ?? 0 == Int64((durations.reduce(0) { $0 + $1.sum } * 1_000).rounded()))
            }
        }
    }

    @Test func `billed minutes are whole minutes of each session`() {
        var minutes: [String: Int64] = [:]
        let webhooks = OfficeTests.afternoon(guests: .all)
        for webhook in webhooks {
            for case .left(_, _, let stayed, _) in webhook.facts {
                minutes[webhook.organization, default: 0] += Int64((stayed / 60).rounded(.up))
            }
        }
        let truth = Self.truth(of: webhooks)
        for (organization, sum) in minutes {
            let billed = truth.usage.totals.filter { $0.key.organization == organization }.values
            #expect(billed.reduce(0) { $0 + $1.billed_minutes } == sum)
        }
    }

    @Test func `each call is a connection, and so is each agent whose server tells no jobs`() {
        for server in OfficeSize.Server.allCases {
            let truth = Self.truth(of: OfficeTests.afternoon(guests: .all, server: server))
            for organization in truth.accounts.keys {
                let sum = { (prefix: String) in
                    truth.usage.totals.filter { $0.key.organization == organization && $0.key.usage.hasPrefix(prefix) }
                        .values.reduce(into: UsageTruth.Amount()) { $0 += $1 }
                }
                #expect(sum("sip:").duration_ms == sum("connection:sip").duration_ms)
                #expect(sum("sip:").count == sum("connection:sip").count && sum("sip:").count > 0)
                if server == .old { #expect(sum("agent:").duration_ms == sum("connection:agent").duration_ms) }
                #expect(sum("agent:").count > 0 && sum("track:").duration_ms > 0)
            }
        }
    }

    @Test func `time belongs to the days on which it passed, and the end to the last of them`() {
        let webhooks = OfficeTests.afternoon(guests: .all)
        let day: Int64 = 86_400
        // Midnight is two hours after the beginning.
        let start = Office.epoch.milliseconds / 1_000
        let shift = TimeShift(seconds: (start / day + 1) * day - 7_200 - start)
        let truth = Self.truth(of: webhooks, shift: shift)
        #expect(truth.usage.totals == Self.truth(of: webhooks).usage.totals)
        var days: [CivilDate: UsageTruth.Amount] = [:]
        for (row, amount) in truth.usage.rows { days[row.day, default: UsageTruth.Amount()] += amount }
        #expect(days.count == 2)
        #expect(days.values.allSatisfy { $0.duration_ms > 3_600_000 && $0.count > 10 })
        var early: Int64 = 0
        var ends: Int64 = 0
        for webhook in webhooks {
            let end = webhook.at.milliseconds / 1_000 - start
            for case .left(_, _, let stayed, _) in webhook.facts {
                early += Int64((1_000 * max(0, min(7_200, Double(end)) - max(0, Double(end) - stayed))).rounded())
                ends += end < 7_200 ? 1 : 0
            }
        }
        let first = days.keys.min()
        let connections = truth.usage.rows.filter { $0.key.day == first && $0.key.use.usage.hasPrefix("connection:") }
        #expect(connections.values.reduce(0) { $0 + $1.duration_ms } == early)
        #expect(connections.values.reduce(0) { $0 + $1.count } == ends)
    }

    @Test func `a month is the sum of its days`() {
        let size = OfficeSize(organizations: 2, rooms: 3, users: 12, length: .seconds(2 * 3_600), guests: .all)
        var month = Truth()
        var sum: [UsageTruth.Use: UsageTruth.Amount] = [:]
        for day in 1...3 {
            var office = Office(size: size, seed: 5, day: day)
            let shift = TimeShift(seconds: Int64(day) * 86_400)
            var truth = Truth()
            while let webhook = office.next() {
                month.count(webhook, shift: shift)
                truth.count(webhook, shift: shift)
            }
            for (use, amount) in truth.usage.totals { sum[use, default: UsageTruth.Amount()] += amount }
        }
        #expect(month.usage.totals == sum)
        #expect(Set(month.usage.rows.keys.map(\.day)).count == 3)
    }

    @Test func `after a clean end nobody is there, and those who came left or vanished`() {
        var totals: [String: Double] = [:]
        for seed in UInt64(1)...8 {
            let truth = Self.truth(of: OfficeTests.afternoon(seed: seed, guests: .all))
            let samples = truth.usageSamples(project: "p", region: "r")
            let sum = { (name: String) in samples.filter { $0.key.hasPrefix(name + "{") }.values.reduce(0, +) }
            for gauge in ["connections_active", "agent_jobs_active", "agent_jobs_pending", "sip_calls_active"] {
                #expect(samples.allSatisfy { !$0.key.hasPrefix("lk_\(gauge){") || $0.value == 0 })
                totals[gauge, default: 0] += Double(samples.keys.count { $0.hasPrefix("lk_\(gauge){") })
            }
            let vanished = truth.usage.vanished.filter { $0.key.usage.hasPrefix("connection:") }.values
            #expect(vanished.allSatisfy { $0.longest_ms > 0 })
            totals["vanished", default: 0] += Double(vanished.count)
            #expect(
                sum("lk_connections_total") - sum("lk_connections_ended_total")
                    == Double(vanished.reduce(0) { $0 + $1.count }))
            #expect(sum("lk_rooms_ended_total") == Double(truth.accounts.values.reduce(0) { $0 + $1.roomsFinished }))
            #expect(sum("lk_agent_job_wait_seconds_count") == sum("lk_agent_jobs_started_total"))
            // A job that no worker took ends without a start.
            totals["no worker", default: 0] += sum("lk_agent_jobs_ended_total") - sum("lk_agent_jobs_started_total")
            for name in ["retries", "bytes", "errors"] { totals[name, default: 0] += sum("lk_egress_\(name)_total") }
        }
        #expect(totals.count == 9 && totals.values.allSatisfy { $0 > 0 }, "\(totals)")
    }

    @Test func `the order between keys does not matter`() {
        let webhooks = OfficeTests.afternoon(guests: .all)
        let tracks = webhooks.filter { $0.event == .trackPublished }
        let others = webhooks.filter { $0.event != .trackPublished }
        #expect(Self.truth(of: webhooks).usage.totals == Self.truth(of: others + tracks).usage.totals)
    }
}
