package import Wire

/// The usage of a simulated office, in the units of an invoice: counted from what its people did.
///
/// It shares nothing with the recorder. Amounts are those of what ended, with the times of the payloads. What a crash
/// took away ended at a time that nobody told: it is listed apart.
package struct UsageTruth: Sendable {
    /// All that an organization used of one thing.
    package struct Use: Sendable, Hashable {
        package let organization: String
        /// As in the table of usage: `connection:standard`, `track:camera`, `egress:web`, `agent:notes`, ...
        package let usage: String

        package init(organization: String, usage: String) {
            self.organization = organization
            self.usage = usage
        }
    }

    /// A row of the table of usage.
    package struct Row: Sendable, Hashable {
        package let use: Use
        /// The UTC day.
        package let day: CivilDate

        package init(use: Use, day: CivilDate) {
            self.use = use
            self.day = day
        }
    }

    /// The time, the ends and the billed minutes of one usage.
    package struct Amount: Sendable, Equatable {
        /// The time that passed.
        package var duration_ms: Int64 = 0
        /// The number of ends.
        package var count: Int64 = 0
        /// The length of each connection that ended, rounded up to whole minutes.
        package var billed_minutes: Int64 = 0

        package init(duration_ms: Int64 = 0, count: Int64 = 0, billed_minutes: Int64 = 0) {
            self.duration_ms = duration_ms
            self.count = count
            self.billed_minutes = billed_minutes
        }

        package static func += (sum: inout Amount, other: Amount) {
            sum.duration_ms += other.duration_ms
            sum.count += other.count
            sum.billed_minutes += other.billed_minutes
        }
    }

    /// What vanished in crashes.
    package struct Vanished: Sendable, Equatable {
        package var count = 0
        /// The time from the beginning of each to the moment at which its absence was told.
        package var longest_ms: Int64 = 0
    }

    /// A counter or gauge of an organization.
    struct Figure: Hashable {
        let organization: String
        let name: String
        let labels: [String: String]
    }

    /// What is not over yet.
    struct Open {
        let use: Use
        let from_ms: Int64
    }

    package internal(set) var rows: [Row: Amount] = [:]
    package internal(set) var vanished: [Use: Vanished] = [:]
    /// The times from the begin to the end of all that ended, in milliseconds; nil unless they are wanted.
    package internal(set) var spans: [Use: [Range<Int64>]]?
    var figures: [Figure: Int64] = [:]
    /// By organization and agent, in seconds.
    var waits: [Use: Truth.Distribution] = [:]

    /// The uses of each participant in a room, by SID: its connection, its call, and its work where it tells the job.
    var participants: [String: [Open]] = [:]
    /// The ends of participants in milliseconds, by SID; nil after a crash.
    var departures: [String: Int64?] = [:]
    /// By SID.
    var tracks: [String: Open] = [:]
    /// The SIDs of the tracks of each participant, by SID.
    var publications: [String: [String]] = [:]
    /// The ends of tracks in milliseconds, by SID; nil after a crash.
    var trackEnds: [String: Int64?] = [:]
    /// The begin of the waiting of each job, by id.
    var waiting: [String: Int64] = [:]
    /// The server has told a job: participants do not count as jobs from now on.
    var tellsJobs = false

    package init() {}

    /// The amounts of all days.
    package var totals: [Use: Amount] {
        rows.reduce(into: [:]) { totals, row in totals[row.key.use, default: Amount()] += row.value }
    }

    // MARK: Adding up

    mutating func change(_ name: String, of organization: String, _ labels: [String: String], by difference: Int64 = 1)
    {
        figures[Figure(organization: organization, name: name, labels: labels), default: 0] += difference
    }

    /// Adds what ended at a time and lasted so long: its time to the days on which it passed, the rest to the last one.
    mutating func end(_ use: Use, from start_ms: Int64, to end_ms: Int64, billed_minutes: Int64 = 0) {
        let last = Self.day(end_ms)
        rows[Row(use: use, day: CivilDate(daysSinceEpoch: last)), default: Amount()] += Amount(
            count: 1, billed_minutes: billed_minutes)
        spans?[use, default: []].append(start_ms..<max(start_ms, end_ms))
        var from = start_ms
        while from < end_ms {
            let day = Self.day(from)
            let to = min(end_ms, Int64(day + 1) * Self.day_ms)
            rows[Row(use: use, day: CivilDate(daysSinceEpoch: day)), default: Amount()].duration_ms += to - from
            from = to
        }
    }

    mutating func vanish(_ open: Open, at time_ms: Int64) {
        vanished[open.use, default: Vanished()].count += 1
        vanished[open.use, default: Vanished()].longest_ms += max(0, time_ms - open.from_ms)
    }

    private static let day_ms: Int64 = 86_400_000

    private static func day(_ time_ms: Int64) -> Int { Int(time_ms / day_ms) }
}
