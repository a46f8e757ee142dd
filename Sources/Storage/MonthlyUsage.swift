package import Wire

/// The usage of a calendar month by organization, as the tables of the database have it.
package struct MonthlyUsage: Sendable, Equatable {
    /// One usage with its amount.
    package struct Use: Sendable, Equatable {
        /// The name in `lkpush_usage_daily`, such as `connection:standard`.
        package let usage: String
        package var amount: Amount

        package init(_ usage: String, _ amount: Amount) {
            self.usage = usage
            self.amount = amount
        }
    }

    /// An amount of usage.
    package struct Amount: Sendable, Equatable {
        package var duration_ms: Int64
        /// The uses that ended in the month.
        package var count: Int64
        /// The length of each of them, rounded up to whole minutes; 0 unless they are connections.
        package var billed_minutes: Int64

        package init(duration_ms: Int64 = 0, count: Int64 = 0, billed_minutes: Int64 = 0) {
            self.duration_ms = duration_ms
            self.count = count
            self.billed_minutes = billed_minutes
        }

        package static func += (sum: inout Amount, amount: Amount) {
            sum.duration_ms &+= amount.duration_ms
            sum.count &+= amount.count
            sum.billed_minutes &+= amount.billed_minutes
        }
    }

    /// The completed recordings that ended in the month.
    package struct Recordings: Sendable, Equatable {
        package var count: Int64
        package var duration_ms: Int64
        package var size_bytes: Int64

        package init(count: Int64 = 0, duration_ms: Int64 = 0, size_bytes: Int64 = 0) {
            self.count = count
            self.duration_ms = duration_ms
            self.size_bytes = size_bytes
        }

        package static func += (sum: inout Recordings, other: Recordings) {
            sum.count &+= other.count
            sum.duration_ms &+= other.duration_ms
            sum.size_bytes &+= other.size_bytes
        }
    }

    /// The usage of one organization.
    package struct Organization: Sendable, Equatable {
        /// The public id. An organization without one, or without a row, is called `key:KEY`.
        package var id: String
        package var name: String
        /// The primary key as text.
        package var key: String
        /// In the order of their names.
        package var uses: [Use] = []
        package var recordings = Recordings()
        /// The minutes of recording that its licence allows in a month. Nil without a licence, and without a limit in it.
        package var recordingLimit_minutes: Double?
        /// The distinct users whose sessions ended in the month.
        package var uniquePeople: Int64 = 0

        package init(id: String, name: String, key: String) {
            self.id = id
            self.name = name
            self.key = key
        }

        /// True if nothing was used.
        package var isEmpty: Bool { uses.isEmpty && recordings.count == 0 && uniquePeople == 0 }
    }

    package let month: CalendarMonth
    /// All organizations of the database, in the order of their ids, also those that used nothing.
    package var organizations: [Organization] = []
    /// The first day of any usage in the table. Nil while it is empty.
    package var firstUsageDay: CivilDate?
    /// The first day of any activity. Nil while there is none.
    package var firstActivityDay: CivilDate?
    /// The tables whose policies of row level security may hide rows from this role.
    package var guardedTables: [String] = []

    package init(month: CalendarMonth) { self.month = month }
}

/// The reasons why a report of usage cannot be made.
package struct UsageReportObstacles: Sendable, Equatable {
    /// The tables that are not there.
    package var missingTables: [String] = []
    /// The statements that give the role what it lacks.
    package var grants: [String] = []

    package var isEmpty: Bool { missingTables.isEmpty && grants.isEmpty }
}
