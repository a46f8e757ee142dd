import Status
import Wire

/// The connection time of today, by kind, from counters that know no days.
///
/// It adds up how much the counters grew. A series that ends makes the sum smaller: that takes nothing away. The growth
/// between two looks counts on the day of the later one.
struct UsageToday {
    private enum Limits { static let day = Int64(86_400_000) }

    private var last: [String: Double] = [:]
    private var grown: [String: Double] = [:]
    private(set) var since: Timestamp?

    /// Takes the totals of the counters, in seconds by kind. Begin when they are those of the restored state.
    mutating func note(_ totals: [String: Double], at now: Timestamp) {
        if let since, now.milliseconds / Limits.day > since.milliseconds / Limits.day {
            grown = [:]
            self.since = Timestamp(milliseconds: now.milliseconds / Limits.day * Limits.day)
        }
        for (kind, total) in totals {
            // A kind that is new has begun at 0.
            if since != nil { grown[kind, default: 0] += max(0, total - last[kind, default: 0]) }
            last[kind] = total
        }
        if since == nil { since = now }
    }

    /// Writes it into a document.
    func fill(_ usage: inout UsageStatus) {
        usage.since = since ?? .absent
        usage.connection_minutes = grown.values.reduce(0, +) / 60
        for index in usage.connections.indices {
            usage.connections[index].minutes = grown[usage.connections[index].kind, default: 0] / 60
        }
    }
}
