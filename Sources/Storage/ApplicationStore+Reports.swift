package import Wire

extension ApplicationStore {
    /// The number of days after which an organization without a row of activity or recordings is no longer recent.
    private static var recent_days: Int { 31 }

    /// Returns the distinct users and the seconds online of each organization: from the
    /// window's first day (UTC).
    package func activity(_ window: Report.Window, at now: Timestamp) throws(StoreError) -> Report {
        let answer = try database.rows(
            """
            SELECT organizations.workos_org_id, COUNT(DISTINCT activity.user_id),
                SUM(activity.total_duration_seconds)
            FROM participant_activity_metrics AS activity
            JOIN organizations ON organizations.id = activity.organization_id
            WHERE activity.activity_date >= $1 AND organizations.workos_org_id <> ''
            GROUP BY organizations.workos_org_id
            """, [.day(window.firstDay(at: now))])
        var result: [String: Report.Activity] = [:]
        for row in answer.rows {
            guard let id = row[0].asText else { continue }
            result[id] = .init(
                uniqueUsers: Int(row[1].asInteger ?? 0), online_seconds: row[2].asDouble ?? 0)
        }
        return .activity(window, result)
    }

    /// Returns the completed recordings of each organization: `status = 'completed'`, from the window's
    /// first moment.
    package func recordings(_ window: Report.Window, at now: Timestamp) throws(StoreError) -> Report {
        let answer = try database.rows(
            """
            SELECT organizations.workos_org_id, COUNT(*), SUM(recordings.duration_seconds)
            FROM recordings
            JOIN organizations ON organizations.id = recordings.organization_id
            WHERE recordings.status = 'completed' AND recordings.ended_at >= $1
                AND organizations.workos_org_id <> ''
            GROUP BY organizations.workos_org_id
            """, [.time(window.begin(at: now))])
        var result: [String: Report.Recordings] = [:]
        for row in answer.rows {
            guard let id = row[0].asText else { continue }
            result[id] = .init(completed: Int(row[1].asInteger ?? 0), duration_seconds: row[2].asDouble ?? 0)
        }
        return .recordings(window, result)
    }

    /// Returns the number of participants who are connected now, for each organization.
    package func presence() throws(StoreError) -> Report {
        let answer = try database.rows(
            """
            SELECT organizations.workos_org_id, COUNT(*)
            FROM room_presence
            JOIN organizations ON organizations.id = room_presence.organization_id
            WHERE organizations.workos_org_id <> ''
            GROUP BY organizations.workos_org_id
            """, [])
        var result: [String: Int] = [:]
        for row in answer.rows {
            if let id = row[0].asText { result[id] = Int(row[1].asInteger ?? 0) }
        }
        return .presence(result)
    }

    /// Returns name and recording limit of each organization that has a public id, in the order of the ids.
    package func licenses() throws(StoreError) -> Report {
        let answer = try database.rows(
            """
            SELECT organizations.workos_org_id, organizations.name, organizations.id,
                MAX(org_licenses.monthly_recording_minutes)
            FROM organizations
            LEFT JOIN org_licenses ON org_licenses.organization_id = organizations.id
            WHERE organizations.workos_org_id <> ''
            GROUP BY organizations.workos_org_id, organizations.name, organizations.id
            ORDER BY organizations.workos_org_id, organizations.id
            """, [])
        return .licenses(
            answer.rows.compactMap { row in
                guard let id = row[0].asText else { return nil }
                return Organization(
                    id: id, name: row[1].asText ?? "", key: row[2].asKey, recordingLimit_minutes: row[3].asDouble ?? 0)
            })
    }

    /// Returns the organizations with a row of activity or recordings that is younger than 31 days.
    package func recent(at now: Timestamp) throws(StoreError) -> Report {
        let answer = try database.rows(
            """
            SELECT organizations.workos_org_id FROM organizations
            WHERE organizations.workos_org_id <> '' AND organizations.id IN (
                SELECT organization_id FROM participant_activity_metrics WHERE activity_date > $1
                UNION SELECT organization_id FROM recordings WHERE ended_at >= $2)
            """, [.day(CivilDate(now).before(days: Self.recent_days)), .time(now - .days(Self.recent_days))])
        return .recent(Set(answer.rows.compactMap { $0.first?.asText }))
    }

    /// Deletes the activity of days before `day`. Returns how many rows were deleted.
    ///
    /// Each day is a statement of its own, so that years of activity neither take one long transaction nor reach a
    /// time-out.
    package func purge(before day: CivilDate) throws(StoreError) -> Int {
        var count = 0
        while true {
            let answer = try database.rows(
                "SELECT MIN(activity_date) FROM participant_activity_metrics WHERE activity_date < $1", [.day(day)])
            guard let first = answer.rows.first?.first, first != .null else { return count }
            let gone = try database.run(
                "DELETE FROM participant_activity_metrics WHERE activity_date = $1", [first])
            // A rule of the database may keep rows, which would be found again and again.
            guard gone > 0 else { return count }
            count += gone
        }
    }
}

extension CivilDate {
    /// Returns the day `days` earlier.
    package func before(days: Int) -> CivilDate { CivilDate(daysSinceEpoch: daysSinceEpoch - days) }
}

extension Duration {
    fileprivate static func days(_ count: Int) -> Duration { .seconds(count * 86_400) }
}
