import Platform
package import Storage
package import Wire

/// What `lkpush report` prints: the usage of a month, of the organizations that are asked for, and what a reader should
/// know about it. It is pure: the time is a parameter.
package struct UsageReport: Sendable {
    let month: CalendarMonth
    /// The time at which the database was read.
    let madeAt: Timestamp
    /// In the order of their ids. One that used nothing is there only where it was asked for.
    let organizations: [MonthlyUsage.Organization]
    /// Organizations were asked for by their ids.
    let isSelected: Bool
    /// The first day of any usage in the table. Nil while it is empty.
    let firstUsageDay: CivilDate?
    /// Sentences about what is missing in the figures.
    let notes: [String]

    package init(_ usage: MonthlyUsage, of ids: [String] = [], at now: Timestamp) {
        month = usage.month
        madeAt = now
        isSelected = !ids.isEmpty
        firstUsageDay = usage.firstUsageDay
        let wanted = Set(ids.map { ExactText($0) })
        organizations = usage.organizations.filter { organization in
            wanted.isEmpty ? !organization.isEmpty : wanted.contains(ExactText(organization.id))
        }
        let found = Set(organizations.map { ExactText($0.id) })
        let missing = ids.filter { !found.contains(ExactText($0)) }
        notes =
            Self.notes(usage, at: now) + missing.map { "The database knows no organization \(PlainText.shown($0))." }
    }

    /// The sums of all organizations, named with an empty id. Somebody who is in two of them counts twice.
    var total: MonthlyUsage.Organization {
        var total = MonthlyUsage.Organization(id: "", name: "", key: "")
        var sums: [ExactText: MonthlyUsage.Amount] = [:]
        for organization in organizations {
            for use in organization.uses { sums[ExactText(use.usage), default: .init()] += use.amount }
            total.recordings += organization.recordings
            total.uniquePeople &+= organization.uniquePeople
        }
        total.uses = sums.map { MonthlyUsage.Use($0.key.text, $0.value) }.sorted { $0.usage < $1.usage }
        return total
    }

    private static func notes(_ usage: MonthlyUsage, at now: Timestamp) -> [String] {
        var notes: [String] = []
        let month = usage.month
        if now < month.begin {
            notes.append("\(month.title) has not begun.")
        } else if now < month.end {
            notes.append(
                "\(month.title) is not over: it ends in \(UnitText.rough(month.end.since(now))) (UTC). Usage comes to the "
                    + "database every 5 minutes.")
        }
        if let first = usage.firstUsageDay {
            if first > month.firstDay {
                notes.append("The table lkpush_usage_daily begins on \(first): what was used before is not in it.")
            }
        } else {
            notes.append("The table lkpush_usage_daily is empty: lkpush serve fills it from version 0.8.0 on.")
        }
        // A session that ends after midnight is activity of the day after its usage.
        let earliest = max(month.firstDay, usage.firstUsageDay ?? month.firstDay)
        if let first = usage.firstActivityDay, first.before(days: 1) > earliest {
            notes.append(
                "People are counted from \(first) on: older activity was deleted (ACTIVITY_RETENTION) or never written."
            )
        }
        if !usage.guardedTables.isEmpty {
            notes.append(
                "Row level security applies to this role on \(usage.guardedTables.joined(separator: ", ")): what its "
                    + "policies hide is missing here.")
        }
        return notes
    }
}

extension MonthlyUsage.Organization {
    /// The sum of all usages of a class, such as `connection`.
    func amount(of kind: String) -> MonthlyUsage.Amount {
        var sum = MonthlyUsage.Amount()
        for use in uses where use.usage.hasPrefix(kind + ":") { sum += use.amount }
        return sum
    }

    /// Connections of people that ended.
    var sessions: Int64 { uses.first { $0.usage == "connection:standard" }?.amount.count ?? 0 }

    /// The part of the licence's minutes that recordings took. Nil without a limit above zero.
    var usedLimit: Double? {
        guard let limit = recordingLimit_minutes, limit > 0 else { return nil }
        return Double(recordings.duration_ms) / 60_000 / limit
    }
}
