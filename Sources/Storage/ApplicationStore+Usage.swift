import Wire

// The report of a month. It only reads, so a role with the right to read suffices, on a standby too.

extension ApplicationStore {
    /// The tables that the report reads.
    private static let reported = [UsageRow.table, "organizations", "org_licenses", "recordings", Schema.activity]

    /// Returns what keeps this connection from making a report of usage. Changes nothing.
    package func usageReportObstacles() throws(StoreError) -> UsageReportObstacles {
        var obstacles = UsageReportObstacles()
        let role = try session().map { Self.quoted($0.role) } ?? ""
        for table in Self.reported {
            guard try !database.columns(of: table).isEmpty else {
                obstacles.missingTables.append(table)
                continue
            }
            let known = Schema.tables + [OptionalTable.usage.schema]
            let needed = known.first { $0.name == table }?.columns ?? []
            let withheld = try database.withheldColumns(of: table)[.select] ?? []
            if !withheld.isDisjoint(with: needed) {
                obstacles.grants.append("GRANT SELECT ON \(Self.quoted(table)) TO \(role);")
            }
        }
        return obstacles
    }

    /// Returns the usage of a month. All of it is read at one moment.
    package func usage(of month: CalendarMonth) throws(StoreError) -> MonthlyUsage {
        var usage = MonthlyUsage(month: month)
        let policies = try database.policies(on: Self.reported)
        usage.guardedTables = Self.reported.filter { policies[$0]?.contains(.select) ?? false }
        return try database.transaction(.read) { () throws(StoreError) in
            var found = try known()
            try addAmounts(to: &found, in: month)
            try addRecordings(to: &found, in: month)
            try addPeople(to: &found, in: month)
            usage.organizations = found.values.sorted { ($0.id, $0.key) < ($1.id, $1.key) }
            for place in usage.organizations.indices {
                usage.organizations[place].uses.sort { $0.usage < $1.usage }
            }
            usage.firstUsageDay = try firstDay("SELECT MIN(usage_date) FROM lkpush_usage_daily")
            usage.firstActivityDay = try firstDay("SELECT MIN(activity_date) FROM participant_activity_metrics")
            return usage
        }
    }

    /// Returns the organizations that have a row, by their keys.
    private func known() throws(StoreError) -> [ExactText: MonthlyUsage.Organization] {
        let answer = try database.rows(
            """
            SELECT organizations.id, organizations.workos_org_id, organizations.name,
                MAX(org_licenses.monthly_recording_minutes)
            FROM organizations
            LEFT JOIN org_licenses ON org_licenses.organization_id = organizations.id
            GROUP BY organizations.id, organizations.workos_org_id, organizations.name
            """, [])
        var found: [ExactText: MonthlyUsage.Organization] = [:]
        for row in answer.rows {
            guard let key = row[0].asText else { continue }
            let id = row[1].asText ?? ""
            var organization = MonthlyUsage.Organization(
                id: id.isEmpty ? Self.nameless(key) : id, name: row[2].asText ?? "", key: key)
            organization.recordingLimit_minutes = row[3].asDouble
            found[ExactText(key)] = organization
        }
        return found
    }

    private func addAmounts(
        to found: inout [ExactText: MonthlyUsage.Organization], in month: CalendarMonth
    ) throws(StoreError) {
        let answer = try database.rows(
            """
            SELECT organization_id, usage, SUM(seconds), SUM(count), SUM(billed_minutes) FROM lkpush_usage_daily
            WHERE usage_date >= $1 AND usage_date < $2 GROUP BY organization_id, usage
            """, [.day(month.firstDay), .day(month.dayAfter)])
        for row in answer.rows {
            guard let key = row[0].asText, let usage = row[1].asText else { continue }
            found[ExactText(key), default: Self.unknown(key)].uses.append(
                MonthlyUsage.Use(
                    usage,
                    MonthlyUsage.Amount(
                        duration_ms: Self.milliseconds(row[2]), count: row[3].asInteger ?? 0,
                        billed_minutes: row[4].asInteger ?? 0)))
        }
    }

    private func addRecordings(
        to found: inout [ExactText: MonthlyUsage.Organization], in month: CalendarMonth
    ) throws(StoreError) {
        let answer = try database.rows(
            """
            SELECT organization_id, COUNT(*), SUM(duration_seconds), SUM(size_bytes) FROM recordings
            WHERE status = 'completed' AND ended_at >= $1 AND ended_at < $2 AND organization_id IS NOT NULL
            GROUP BY organization_id
            """, [.time(month.begin), .time(month.end)])
        for row in answer.rows {
            guard let key = row[0].asText else { continue }
            found[ExactText(key), default: Self.unknown(key)].recordings = MonthlyUsage.Recordings(
                count: row[1].asInteger ?? 0, duration_ms: Self.milliseconds(row[2]),
                size_bytes: row[3].asInteger ?? 0)
        }
    }

    private func addPeople(
        to found: inout [ExactText: MonthlyUsage.Organization], in month: CalendarMonth
    ) throws(StoreError) {
        let answer = try database.rows(
            """
            SELECT organization_id, COUNT(DISTINCT user_id) FROM participant_activity_metrics
            WHERE activity_date >= $1 AND activity_date < $2 GROUP BY organization_id
            """, [.day(month.firstDay), .day(month.dayAfter)])
        for row in answer.rows {
            guard let key = row[0].asText else { continue }
            found[ExactText(key), default: Self.unknown(key)].uniquePeople = row[1].asInteger ?? 0
        }
    }

    private func firstDay(_ query: String) throws(StoreError) -> CivilDate? {
        // The text of a day, with or without a time behind it.
        let text = try database.rows(query, []).rows.first?.first?.asText
        return text.flatMap { SQLValue.text($0.prefix(10) + " 00:00:00").asTimestamp }.map { CivilDate($0) }
    }

    private static func nameless(_ key: String) -> String { "key:\(key)" }

    private static func unknown(_ key: String) -> MonthlyUsage.Organization {
        MonthlyUsage.Organization(id: nameless(key), name: "", key: key)
    }

    /// Seconds are stored as a floating-point number whose sum of a month is exact to less than a millisecond.
    private static func milliseconds(_ value: SQLValue) -> Int64 {
        Int64(exactly: ((value.asDouble ?? 0) * 1_000).rounded()) ?? 0
    }
}
