import Wire

/// A result of the database for all organizations at one time: the source of the database-backed gauges.
///
/// Organizations are keyed by their public id (`workos_org_id`). Those without one are left out.
package enum Report: Sendable, Equatable {
    /// Distinct users and seconds online for each organization, in a window of days (UTC) that ends today.
    case activity(Window, [String: Activity])
    /// Completed recordings and their seconds for each organization, in a window that ends now.
    case recordings(Window, [String: Recordings])
    /// Participants who are connected now, for each organization.
    case presence([String: Int])
    /// The current name and recording limit of every organization.
    case licenses([Organization])
    /// The organizations with a row of activity or recordings that is younger than 31 days.
    case recent(Set<String>)
    /// Whether `lkpush_usage_daily` takes rows. Until then the recorder keeps them. It is told at each opening of the
    /// database.
    case usageTable(isUsable: Bool)

    /// The windows of the reports. The raw value is stored; it is the number of days, and -1 for a calendar month.
    package enum Window: Int, Sendable, CaseIterable {
        case day = 1
        case week = 7
        case month = 30
        /// The calendar month in UTC, which invoices and licences count.
        case calendarMonth = -1

        /// The windows of activity.
        package static let ofActivity: [Window] = [.week, .month, .calendarMonth]

        package var label: String { self == .calendarMonth ? "month" : "\(rawValue)d" }

        /// The first day of the window.
        func firstDay(at now: Timestamp) -> CivilDate {
            let today = CivilDate(now)
            return today.before(days: self == .calendarMonth ? today.parts.day - 1 : rawValue - 1)
        }

        /// The first moment of the window.
        func begin(at now: Timestamp) -> Timestamp {
            self == .calendarMonth
                ? Timestamp(seconds: Int64(firstDay(at: now).daysSinceEpoch) * 86_400)
                : now - .seconds(rawValue * 86_400)
        }
    }

    /// The number of distinct users, and their seconds online in all.
    package struct Activity: Sendable, Equatable {
        package var uniqueUsers: Int
        package var online_seconds: Double
        package init(uniqueUsers: Int, online_seconds: Double) {
            self.uniqueUsers = uniqueUsers
            self.online_seconds = online_seconds
        }
    }

    /// The number of completed recordings, and their seconds in all.
    package struct Recordings: Sendable, Equatable {
        package var completed: Int
        package var duration_seconds: Double
        package init(completed: Int, duration_seconds: Double) {
            self.completed = completed
            self.duration_seconds = duration_seconds
        }
    }
}
