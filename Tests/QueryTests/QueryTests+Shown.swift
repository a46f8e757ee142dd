import TestSupport
import Testing

// The dashboards and the rules over the day.

extension QueryTests {
    /// Queries that the day gives nothing to, with the reason.
    private static let silent = [
        "pipeline / Series held / B": "MAX_SERIES is not reached",
        "pipeline / Differences to LiveKit's API / A": unpolled,
        "pipeline / Corrections by action / A": unpolled,
        "pipeline / Age of the last successful poll / A": unpolled,
        "pipeline / Ghosts and conflicts / A": unpolled,
        "pipeline / Ghosts and conflicts / B": unpolled,
        "pipeline / Suspicious lists / A": unpolled,
        "pipeline / Failed requests to LiveKit's API / A": unpolled,
        "organization / Agents running and waiting / B": jobless,
        "organization / Waiting time of agents / A": jobless,
        "organization / Waiting time of agents / B": jobless,
        "platform / Agents running and waiting / B": jobless,
        "platform / Waiting time of agents / A": jobless,
        "platform / Waiting time of agents / B": jobless,
        "platform / Agents without capacity / A": jobless,
        "pipeline / Uncertain usage / A": "every end is told",
        "pipeline / Rows of usage that wait / B": "no row is given up",
        "pipeline / Who leads / A": alone,
        "pipeline / Events not applied yet / A": alone,
        "pipeline / Events not applied yet / B": alone,
        "pipeline / Append time of the log / A": alone,
        "pipeline / Append time of the log / B": alone,
        "pipeline / Events on their own disks / A": alone,
        "pipeline / Events on their own disks / B": alone,
        "pipeline / Changes of the leader / A": alone,
        "pipeline / Changes of the leader / B": alone,
        "pipeline / Readings held / A": alone,
        "pipeline / Readings held / B": alone,
    ]
    /// The cases of `Tests/Dashboards` and of the rules have replicas.
    private static let alone = "one process has a journal of its own"
    /// The cases of `Tests/Dashboards` and of the rules have agent jobs.
    private static let jobless = "no webhook of agent jobs comes"
    /// The day has no server API. The cases of `Tests/Dashboards` and of the rules have polls.
    private static let unpolled = "nothing is polled"

    @Test func `every panel shows something of the day`() throws {
        let queries = try Dashboards().queries
        try #require(!queries.isEmpty)
        let rules = try Rules()
        var problems: [String] = []
        for query in queries {
            let expression = lived.filled(rules.inlined(query.expression))
            if expression.contains(/\$[a-zA-Z_{]/) { problems.append("\(query): an unknown variable in \(expression)") }
            do {
                // The day has no past. A query that compares with it is asked for the day instead.
                _ = try lived.prometheus.query(expression, at: lived.end)
                let isShown = try lived.shows(expression.replacing(/\ offset [0-9]+[a-z]/, with: ""))
                let isSilent = Self.silent[query.description] != nil
                if !isShown && !isSilent { problems.append("\(query) shows nothing: \(expression)") }
                if isShown && isSilent { problems.append("\(query) shows something: it is no exception any more") }
            } catch {
                problems.append("\(query): \(error)")
            }
        }
        #expect(problems.isEmpty, "\(problems.joined(separator: "\n"))")
    }

    @Test func `every rule runs at every time of the day, and everything that it asks for is there`() throws {
        let rules = try Rules()
        var problems: [String] = []
        for rule in rules.rules {
            if rule.health != "ok" { problems.append("\(rule.name): \(rule.lastError ?? rule.health)") }
            let expression = rules.inlined(rule.query)
            do {
                // The restart is among these times.
                let fired = try lived.prometheus.query(expression, from: lived.begin, to: lived.end, step: 60)
                let isExpected = Self.recordsNothing[rule.name] == nil
                if rule.type == "recording" && fired.isEmpty == isExpected {
                    problems.append(
                        "\(rule.name) records \(isExpected ? "nothing" : "something: it is no exception any more")")
                }
                for selector in Set(Selectors.of(expression)) where !Self.neverThere.contains(selector) {
                    if try !lived.shows("count(\(selector))") {
                        problems.append("\(rule.name): nothing is \(selector)")
                    }
                }
            } catch {
                problems.append("\(rule.name): \(error)")
            }
        }
        #expect(problems.isEmpty, "\(problems.joined(separator: "\n"))")
    }

    /// Series that only a trouble makes which is not provoked on this day.
    private static let neverThere: Set<String> = [
        "lkpush_series_refused_total",
        // Nothing is polled on this day.
        "lkpush_reconcile_last_success_timestamp_seconds", "lkpush_reconcile_drift", "lkpush_reconcile_requests_total",
        // No webhook of agent jobs comes, and the server tells no media failure.
        "lk_agent_jobs_pending", "lk_agent_job_wait_seconds_bucket", "lk_agent_job_wait_seconds_count",
        #"lk_agent_jobs_ended_total{reason="no_capacity",result=~"failed|cancelled"}"#,
        // The table of usage is there, so that no row is given up.
        "lkpush_usage_rows_lost_total",
        // One process has a journal of its own.
        "lkpush_leader", "lkpush_leaderships_total", "lkpush_spill_events", "lkpush_spill_lost_events_total",
        "lkpush_log_contact_age_seconds", "lkpush_log_events_behind", "lkpush_journal_synchronous",
        "lkpush_readings_held_total",
    ]
    /// Recording rules that the day gives nothing to, with the reason.
    private static let recordsNothing = ["lkpush:agent_job_wait_seconds:p95": jobless]

    @Test func `selectors are found in expressions`() {
        let expression = """
            sum by (le, org_id) (rate(a_b{x="}", y=~"b|c"}[5m])) # c{d="e"}
              / on (instance) group_left (org_name) (d:e:f > 0.8 * 300e6) or vector(1) unless g offset 7d
            """
        #expect(Selectors.of(expression) == [#"a_b{x="}", y=~"b|c"}"#, "d:e:f", "g"])
    }
}

extension LivedDay {
    /// True if a query has a value at some time of the day: in a panel over time, or at its end.
    func shows(_ expression: String) throws -> Bool {
        let isShown = { (series: [PrometheusServer.Series]) in
            series.contains { $0.points.contains { !$0.value.isNaN } }
        }
        return try isShown(prometheus.query(expression, at: end))
            || isShown(prometheus.query(expression, from: begin, to: end, step: 120))
    }
}
