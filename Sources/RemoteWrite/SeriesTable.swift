package import Metrics
package import Wire

/// Every time series that is pushed, with what was last read and sent of it.
///
/// A *row* is one time series on the wire. A *group* is the rows of one `Series`: a single row, or the buckets, sum and
/// count of a histogram in consecutive rows. A group keeps its rows, even when another series takes it over. Rows rise
/// with groups, so the series of a batch lie between its first and its last row.
///
/// Invariant: the timestamps of a row's samples strictly rise, whatever the clock does.
package struct SeriesTable {
    /// The schedule that decides which series are due.
    /// https://prometheus.io/docs/prometheus/latest/querying/basics/#staleness
    package struct Schedule: Sendable, Equatable {
        package let pushInterval: Duration
        /// The interval for idle series. If it is above `pushInterval`, only due series are sent. If it is equal, all
        /// are, each time.
        package let idleInterval: Duration

        /// The idle interval is rounded down to a multiple of the push interval, so that no series is silent for longer
        /// than was asked.
        package init(pushInterval: Duration, idleInterval: Duration) {
            self.pushInterval = pushInterval
            self.idleInterval = max(pushInterval, pushInterval * Int(idleInterval / pushInterval))
        }
    }

    /// The source of a group's values.
    enum Source {
        case series(Series)
        /// No source: an earlier process sent the series, and the registry does not hold it.
        indirect case restored(SeriesKey)
        /// The series `up`, which is always 1.
        case one
    }

    enum Phase {
        /// The series is read at every tick. Can become: ending.
        case alive
        /// The series ended since the last reading, or its stale marker was lost. A marker is due. Can become: alive,
        /// ended.
        case ending
        /// The stale marker was made. The group is kept until the receiver has it, and for at least one tick, so that a
        /// series that comes back at once is known. Can become: alive, ending, free.
        case ended
        /// No series has this group. Can become: alive.
        case free
    }

    struct Group {
        var source: Source
        var phase = Phase.alive
        var firstRow: Int
        var rowCount: Int
        /// True for counters and histograms, to which `increase()` applies.
        var accumulates: Bool
        var cadence: FamilyDescriptor.Cadence
        /// The time of its newest sample. Nil if no sample of it can have reached the receiver.
        var lastSent: Timestamp?
        /// A sample was lost: the series is sent at the next tick, changed or not.
        var isDue = true
        /// The series began at zero after the last reading: a first zero goes before its first sample.
        var startsAtZero: Bool
        /// True if the series began in this process.
        var beganHere: Bool
        /// The numbers of the first and the last batch that hold a sample of it; 0 for none.
        var firstBatch: UInt64 = 0
        var lastBatch: UInt64 = 0
        /// True if a request with a sample of it ever began, in this process or in an earlier one.
        var wasAttempted = false
        /// True if the journal knows that the receiver holds the series.
        var isShipped = false
        /// The number of stale markers that were made for its end.
        var markers: UInt8 = 0
    }

    package enum Limits {
        /// The most stale markers for one end: a receiver that refused this many does not want them.
        package static let markers: UInt8 = 5
        /// The most ended groups that are kept until the receiver has their stale markers. It is what a day without a
        /// receiver leaves behind at a thousand organizations: some 10 MB.
        package static let endedKept = 20_000
    }

    let schedule: Schedule
    let labels: CommonLabels
    var groups: [Group] = []
    /// Free groups, by their number of rows.
    var free: [Int: [Int]] = [:]
    var byKey: [SeriesKey: Int] = [:]

    // These arrays have one element per row.
    var owners: [Int32] = []
    var values: [UInt64] = []
    var labelRanges: [Range<Int>] = []

    /// The encoded labels of all rows, in no order.
    var labelBytes: [UInt8] = []
    var unusedLabelBytes = 0

    /// The values of the group that is being read. It is reused for each group.
    var scratch: [UInt64] = []
    /// The timestamp of the last reading of this process.
    package internal(set) var lastReading: Timestamp?
    /// The beginning of the idle grid.
    var firstReading: Timestamp?
    var unattempted = 0

    /// All batches with a lower number are settled: the receiver has them, or their loss was noted.
    var settledBefore = UInt64.max
    /// Stale markers that the receiver may never have got, although their series ended.
    package internal(set) var markersGivenUp: UInt64 = 0

    /// The last time that an earlier process sent. Nothing is sent at or before it.
    package internal(set) var floor: Timestamp?
    /// Series that an earlier process sent and that the registry has not shown yet. Empty after the first reading.
    var restored: Set<SeriesKey> = []
    /// The families of those series. Empty after the first reading.
    var families: [String: FamilyDescriptor] = [:]
    /// Set if somebody takes `began` and `ended`.
    package var recordsKeys = false
    var began: [SeriesKey] = []
    var ended: [SeriesKey] = []

    /// Makes a table that holds only `up`.
    package init(labels: CommonLabels, schedule: Schedule) {
        self.labels = labels
        self.schedule = schedule
        add(.one, name: "up", own: [], kind: .gauge, cadence: .everyTick)
    }

    // MARK: Series come and go

    /// Takes over the series that came and went in the registry. Call it right before each reading.
    package mutating func apply(_ changes: Registry.Changes) {
        for series in changes.ended { end(series) }
        for series in changes.added { begin(series) }
    }

    private mutating func begin(_ series: Series) {
        let key = SeriesKey(series)
        if let index = byKey[key], groups[index].phase != .free {
            // The series ended and came back: its labels are the same, but its numbers start again.
            let wasSent = groups[index].lastSent != nil
            groups[index].source = .series(series)
            groups[index].phase = .alive
            groups[index].isDue = true
            groups[index].beganHere = true
            groups[index].startsAtZero = groups[index].accumulates && (wasSent || lastReading != nil)
            groups[index].markers = 0
            return
        }
        let index = add(.series(series), series.family, series.labelValues)
        byKey[key] = index
        if restored.remove(key) != nil { noteShippedBefore(index, until: floor) }
    }

    private mutating func end(_ series: Series) {
        guard let index = byKey[SeriesKey(series)], case .series(let current) = groups[index].source,
            current === series, groups[index].phase == .alive
        else { return }
        groups[index].phase = .ending
    }

    /// Adds a group with labels of its own.
    mutating func add(_ source: Source, _ family: FamilyDescriptor, _ values: [String]) -> Int {
        let own = zip(family.labelNames, values).map { (name: $0, value: $1) }
        return add(source, name: family.name, own: own, kind: family.kind, cadence: family.cadence)
    }

    @discardableResult
    private mutating func add(
        _ source: Source, name: String, own: [(name: String, value: String)], kind: FamilyDescriptor.Kind,
        cadence: FamilyDescriptor.Cadence
    ) -> Int {
        var count = 1
        var accumulates = kind == .counter
        if case .histogram(let bounds) = kind {
            count = bounds.count + 3
            accumulates = true
        }
        let reused = free[count]?.popLast()
        let group = Group(
            source: source, firstRow: reused.map { groups[$0].firstRow } ?? owners.count, rowCount: count,
            accumulates: accumulates, cadence: cadence, startsAtZero: accumulates && lastReading != nil,
            beganHere: lastReading != nil)
        if let reused { groups[reused] = group } else { append(group) }
        unattempted += 1
        writeLabels(name: name, own: own, kind: kind, firstRow: group.firstRow)
        return reused ?? groups.count - 1
    }

    /// Appends a group with rows of its own.
    private mutating func append(_ group: Group) {
        owners.append(contentsOf: repeatElement(Int32(groups.count), count: group.rowCount))
        values.append(contentsOf: repeatElement(0, count: group.rowCount))
        labelRanges.append(contentsOf: repeatElement(0..<0, count: group.rowCount))
        groups.append(group)
    }

    private mutating func writeLabels(
        name: String, own: [(name: String, value: String)], kind: FamilyDescriptor.Kind, firstRow: Int
    ) {
        func write(_ row: Int, _ name: String, _ own: [(name: String, value: String)]) {
            let start = labelBytes.count
            labels.append(name: name, own: own, to: &labelBytes)
            labelRanges[row] = start..<labelBytes.count
        }
        guard case .histogram(let bounds) = kind else { return write(firstRow, name, own) }
        for (index, bound) in (bounds + [.infinity]).enumerated() {
            write(firstRow + index, name + "_bucket", own + [(name: "le", value: Number.text(bound))])
        }
        write(firstRow + bounds.count + 1, name + "_sum", own)
        write(firstRow + bounds.count + 2, name + "_count", own)
    }

    /// Frees a group and its label bytes.
    mutating func release(_ index: Int) {
        let group = groups[index]
        if let key = key(of: index) {
            byKey[key] = nil
            if group.isShipped && recordsKeys { ended.append(key) }
        }
        if !group.wasAttempted { unattempted -= 1 }
        groups[index].phase = .free
        groups[index].source = .one
        free[group.rowCount, default: []].append(index)
        for row in group.firstRow..<(group.firstRow + group.rowCount) {
            unusedLabelBytes += labelRanges[row].count
            labelRanges[row] = 0..<0
            values[row] = 0
        }
        if unusedLabelBytes > 65_536 && unusedLabelBytes > labelBytes.count / 2 { compactLabels() }
    }

    private mutating func compactLabels() {
        var compact: [UInt8] = []
        compact.reserveCapacity(labelBytes.count - unusedLabelBytes)
        for row in labelRanges.indices where !labelRanges[row].isEmpty {
            let start = compact.count
            compact.append(contentsOf: labelBytes[labelRanges[row]])
            labelRanges[row] = start..<compact.count
        }
        labelBytes = compact
        unusedLabelBytes = 0
    }

    /// The key of a group's series. Nil for `up`, which lives as long as the process.
    func key(of index: Int) -> SeriesKey? {
        switch groups[index].source {
        case .series(let series): SeriesKey(series)
        case .restored(let key): key
        case .one: nil
        }
    }
}
