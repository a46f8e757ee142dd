import Metrics
package import Wire

/// Every time series that is pushed, with what was last read and sent of it.
///
/// A *row* is one time series on the wire. A *group* is the rows of one `Series`: a single row, or the buckets, sum and
/// count of a histogram in consecutive rows. A group keeps its rows for as long as a sample of them waits. Later, another
/// series may take them over.
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

        /// The part of the idle grid that a tick belongs to. A tick may come half an interval early or late.
        ///
        /// A fixed grid is better than the time since the last sample. In a range of 15 min, the first and the last
        /// sample of a series are then in all at most one idle interval short of the range. So `increase()`
        /// extrapolates by less than 10 %.
        package func idleSlot(of time: Timestamp, since firstReading: Timestamp) -> Int64 {
            time.since(firstReading - pushInterval / 2).milliseconds / max(1, idleInterval.milliseconds)
        }
    }

    /// The source of a group's values.
    enum Source {
        case series(Series)
        /// No source: the series is of an earlier process, and the registry does not hold it.
        indirect case restored(RestoredSeries)
        /// The series `up`, which is always 1.
        case one
    }

    /// A series of an earlier process.
    struct RestoredSeries {
        let key: SeriesKey
        let family: FamilyDescriptor
        /// The labels that all series of that process had. Nil if they are those of this one.
        let common: CommonLabels?
    }

    enum Phase {
        /// The series is read at every tick. Can become: ending.
        case alive
        /// The series ended since the last reading, or its stale marker was lost. A marker is due. Can become: alive,
        /// ended.
        case ending
        /// The stale marker was made. The group is kept until no sample of it waits, and for at least one tick, so that a
        /// series that comes back at once is known. Can become: alive, ending, free.
        case ended
        /// No series has this group. Can become: alive.
        case free
    }

    /// It holds no reference, so that reading thousands of groups counts none.
    struct Group {
        var phase = Phase.alive
        var firstRow: Int
        var rowCount: Int
        /// True for counters and histograms, to which `increase()` applies.
        var accumulates: Bool
        var cadence: FamilyDescriptor.Cadence
        /// The number of its family in `SeriesLabels.metadata`.
        var family: Int32
        /// The hash of its key, which is the same in every process. It chooses the shard.
        var hash: UInt32
        /// The time of its newest sample. Nil if no sample of it can have reached the receiver.
        var lastSent: Timestamp?
        /// A sample was lost: the series is sent at the next tick, changed or not.
        var isDue = true
        /// The place of its new values in the reading that is taken; -1 if it has none.
        var place: Int32 = -1
        /// The part of the idle grid that its newest sample lies in.
        var idleSlot = Int64.min
        /// The series began at zero after the last reading: a first zero goes before its first sample.
        var startsAtZero: Bool
        /// True if the series began in this process.
        var beganHere: Bool
        /// The time from which a counter or histogram counts: that of its first zero if this process sent one, else the
        /// beginning of the series. Nil before the first sample.
        var start: Timestamp?
        /// The number of its samples that wait or are under way.
        var pending: Int32 = 0
        /// Its first zero was dropped before it was sent, while later samples wait. A zero goes before the first of
        /// them.
        var lacksZero = false
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
        /// The number of series from which room is made for all at once.
        static let reserved = 1_000
    }

    let schedule: Schedule
    /// The families that are shipped.
    let selection: FamilySelection
    var labels: SeriesLabels
    var groups: [Group] = []
    /// One source per group.
    var sources: [Source] = []
    /// The group of each series by its slot in the registry; -1 for none.
    private var groupsBySlot: [Int32] = []
    /// The rows that series have in the spool.
    var spool = SpoolRows()
    /// Free groups, by their number of rows.
    var free: [Int: [Int]] = [:]
    var byKey: [SeriesKey: Int] = [:]

    // These arrays have one element per row.
    var owners: [Int32] = []
    var values: [UInt64] = []

    /// The timestamp of the last reading of this process.
    package internal(set) var lastReading: Timestamp?
    /// The beginning of the idle grid.
    var firstReading: Timestamp?
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

    /// Makes a table that holds only `up`, in row 0.
    package init(labels: CommonLabels, schedule: Schedule, selection: FamilySelection = FamilySelection()) {
        self.labels = SeriesLabels(labels)
        self.schedule = schedule
        self.selection = selection
        add(.one, Self.up, [])
        values[0] = SampleValue.bits(1)
    }

    static let up = FamilyDescriptor.synthetic(
        name: "up", help: "Always 1: the process runs.", cadence: .everyTick)

    // MARK: Series come and go

    /// Takes over which series came, went and changed.
    mutating func apply(_ reading: RegistryReading) {
        for series in reading.changes.ended { end(series) }
        reserve(for: reading.changes.added)
        for series in reading.changes.added { begin(series) }
        for (number, slot) in reading.slots.enumerated() where Int(slot) < groupsBySlot.count {
            let index = Int(groupsBySlot[Int(slot)])
            if index >= 0 { groups[index].place = reading.places[number] }
        }
    }

    /// Makes room for many series that begin together, as at a start.
    private mutating func reserve(for added: [Series]) {
        guard added.count >= Limits.reserved else { return }
        var rows = 0
        var ownLabels = 0
        for series in added {
            let count = series.family.seriesPerChild
            rows += count
            ownLabels += count * (series.family.labelNames.count + (count > 1 ? 1 : 0))
        }
        owners.reserveCapacity(owners.count + rows)
        values.reserveCapacity(values.count + rows)
        groups.reserveCapacity(groups.count + added.count)
        sources.reserveCapacity(sources.count + added.count)
        labels.reserve(more: rows, ownLabels: ownLabels)
    }

    private mutating func setSource(_ index: Int, _ series: Series) {
        sources[index] = .series(series)
        let slot = Int(series.slot)
        if slot >= groupsBySlot.count {
            groupsBySlot.append(contentsOf: repeatElement(-1, count: slot + 1 - groupsBySlot.count))
        }
        groupsBySlot[slot] = Int32(index)
    }

    private mutating func begin(_ series: Series) {
        guard selection.includes(series.family.name) else { return }
        let key = SeriesKey(series)
        if let index = byKey[key], groups[index].phase != .free, hasSameRows(index, as: series.family) {
            // The series ended and came back: its labels are the same, but its numbers start again.
            let wasSent = groups[index].lastSent != nil
            setSource(index, series)
            groups[index].phase = .alive
            groups[index].isDue = true
            groups[index].beganHere = true
            groups[index].startsAtZero = groups[index].accumulates && (wasSent || lastReading != nil)
            groups[index].markers = 0
            if groups[index].startsAtZero { groups[index].start = nil }
            return
        }
        let index = add(.series(series), series.family, series.labelValues)
        setSource(index, series)
        byKey[key] = index
        if restored.remove(key) != nil { noteShippedBefore(index, until: floor) }
    }

    private mutating func end(_ series: Series) {
        guard let index = byKey[SeriesKey(series)], case .series(let current) = sources[index],
            current === series, groups[index].phase == .alive
        else { return }
        groups[index].phase = .ending
        // The slot may be that of another series from now on.
        if groupsBySlot[Int(series.slot)] == Int32(index) { groupsBySlot[Int(series.slot)] = -1 }
    }

    /// Adds a group with labels of its own.
    ///
    /// - Parameter common: the labels that all series of its process had. Nil for those of this one.
    @discardableResult
    mutating func add(
        _ source: Source, _ family: FamilyDescriptor, _ labelValues: [String], common: CommonLabels? = nil
    ) -> Int {
        var count = 1
        var accumulates = family.kind == .counter
        if case .histogram(let bounds) = family.kind {
            count = bounds.count + 3
            accumulates = true
        }
        let reused = free[count]?.popLast()
        let group = Group(
            firstRow: reused.map { groups[$0].firstRow } ?? owners.count, rowCount: count,
            accumulates: accumulates, cadence: family.cadence,
            family: labels.family(family.name, help: family.help, unit: family.unit, kind: family.kind),
            hash: SeriesKey(family: family.name, labelValues: labelValues).stableHash,
            startsAtZero: accumulates && lastReading != nil, beganHere: lastReading != nil)
        if let reused {
            groups[reused] = group
            sources[reused] = source
        } else {
            append(group, source)
        }
        setLabels(of: family, labelValues, common ?? labels.common, firstRow: group.firstRow)
        return reused ?? groups.count - 1
    }

    /// Appends a group with rows of its own.
    private mutating func append(_ group: Group, _ source: Source) {
        owners.append(contentsOf: repeatElement(Int32(groups.count), count: group.rowCount))
        values.append(contentsOf: repeatElement(0, count: group.rowCount))
        labels.reserve(rows: owners.count)
        groups.append(group)
        sources.append(source)
    }

    private mutating func setLabels(
        of family: FamilyDescriptor, _ labelValues: [String], _ common: CommonLabels, firstRow: Int
    ) {
        let own = zip(family.labelNames, labelValues).map { (name: $0, value: $1) }
        guard case .histogram(let bounds) = family.kind else {
            return labels.set(firstRow, name: family.name, own: own, common)
        }
        for (index, bound) in (bounds + [.infinity]).enumerated() {
            labels.set(
                firstRow + index, name: family.name + "_bucket", own: own + [(name: "le", value: Number.text(bound))],
                common)
        }
        labels.set(firstRow + bounds.count + 1, name: family.name + "_sum", own: own, common)
        labels.set(firstRow + bounds.count + 2, name: family.name + "_count", own: own, common)
    }

    /// Frees a group of which no sample waits, and its labels.
    mutating func release(_ index: Int) {
        let group = groups[index]
        assert(group.pending == 0, "a sample that waits needs its labels")
        if let key = key(of: index) {
            if byKey[key] == index { byKey[key] = nil }
            if group.isShipped && recordsKeys { ended.append(key) }
        }
        groups[index].phase = .free
        sources[index] = .one
        free[group.rowCount, default: []].append(index)
        for row in group.firstRow..<(group.firstRow + group.rowCount) {
            labels.remove(row)
            values[row] = 0
        }
    }

    /// The key of a group's series. Nil for `up`, which lives as long as the process.
    func key(of index: Int) -> SeriesKey? {
        switch sources[index] {
        case .series(let series): SeriesKey(series)
        case .restored(let restored): restored.key
        case .one: nil
        }
    }
}
