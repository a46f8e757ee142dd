/// What the database says about all organizations at one time: the source of the database-backed gauges.
///
/// Organizations are keyed by their public id (`workos_org_id`); those without one are left out.
package enum Report: Sendable, Equatable {
    /// Distinct users and seconds online per organization in a window of days ending today (UTC).
    case activity(Window, [String: Activity])
    /// Completed recordings and their seconds per organization in a window ending now.
    case recordings(Window, [String: Recordings])
    /// Participants connected now per organization.
    case presence([String: Int])
    /// Every organization's current name and recording limit.
    case licenses([Organization])
    /// Organizations with an activity or recording row younger than 31 days.
    case recent(Set<String>)

    /// The windows of the contract; the raw value is the label value, and the number of days.
    package enum Window: Int, Sendable, CaseIterable {
        case day = 1
        case week = 7
        case month = 30

        package var label: String { "\(rawValue)d" }
    }

    /// How many people were there, and for how long in all.
    package struct Activity: Sendable, Equatable {
        package var uniqueUsers: Int
        package var online_seconds: Double
        package init(uniqueUsers: Int, online_seconds: Double) {
            self.uniqueUsers = uniqueUsers
            self.online_seconds = online_seconds
        }
    }

    /// How many recordings were completed, and their length in all.
    package struct Recordings: Sendable, Equatable {
        package var completed: Int
        package var duration_seconds: Double
        package init(completed: Int, duration_seconds: Double) {
            self.completed = completed
            self.duration_seconds = duration_seconds
        }
    }
}
