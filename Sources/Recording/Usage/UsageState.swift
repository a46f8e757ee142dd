import Storage
import Wire

/// The state of usage that belongs to no single organization.
struct UsageState: Sendable {
    /// The clock of usage: the latest time of receipt; 0 before the first input.
    var now_ms: Int64 = 0
    /// The UTC day of `now_ms`.
    var day = 0
    /// The shortest time from the creation of an event to its receipt since the last gap; nil if none came. It tells
    /// LiveKit's clock.
    var lag_ms: Int64?
    /// The number of open shares.
    var open = 0
    /// The number of entities that stand still.
    var standing = 0
    /// A poll has let something go on before LiveKit's clock was known.
    var isBehind = false
    /// Agent jobs have had events, so agents are not counted by participants any more.
    var hasAgentEvents = false
    /// The database takes rows of usage.
    var isTableUsable = false
    /// The time of the last rows.
    var lastRows_ms: Int64 = 0
    /// Amounts for rows that were not written yet.
    var rows: [UsageRowKey: UsageAmount] = [:]
    /// The amounts that were given up because there were too many.
    var lostRows = 0
    /// The gauge of what is ahead has series.
    var hasShownAhead = false
    /// Uses whose end was estimated, by the fingerprint of their id.
    var estimates: [Fingerprint: UsageEstimate] = [:]
    /// Something has changed since the last reading. It is not saved.
    var isUnread = true
    /// The totals that were not published yet. It is not saved: it follows from the series.
    var reading = UsageReading()

    /// The amounts in the order in which rows are made, which is the same in a replay.
    var orderedRows: [(key: UsageRowKey, amount: UsageAmount)] {
        rows.map { (order: $0.key.order, key: $0.key, amount: $0.value) }
            .sorted { $0.order.lexicographicallyPrecedes($1.order) }
            .map { ($0.key, $0.amount) }
    }

    mutating func add(_ amount: UsageAmount, to key: UsageRowKey) {
        if rows[key] == nil && rows.count >= Limits.usageRows {
            lostRows += 1
            return
        }
        rows[key, default: UsageAmount()] += amount
        if rows[key]?.isZero == true { rows[key] = nil }
    }
}

/// A row of usage.
struct UsageRowKey: Hashable, Sendable {
    let owner: RowOwner
    /// Days since 1970-01-01.
    let day: Int
    let usage: String

    /// Texts that order keys.
    fileprivate var order: [String] { [String(day)] + owner.order + [usage] }
}

extension RowOwner {
    fileprivate var order: [String] {
        switch self {
        case .key(.integer(let key)): ["0", String(key)]
        case .key(.text(let key)): ["1", key]
        case .organization(let id, let name): ["2", id, name]
        case .room(let name): ["3", name]
        }
    }
}
