package import Metrics
package import Wire

/// Every time series that is pushed, with what was read and sent of it last.
///
/// A *row* is one time series on the wire; a *group* is what one `Series` makes of them: one row, or a histogram's
/// buckets, sum and count in consecutive rows. A group keeps its rows, also when another series takes its place: the
/// rows rise with the groups, so the series of a batch lie between its first and its last row.
/// The law: the timestamps of a row's samples strictly rise, whatever the clock does.
package struct SeriesTable {
    /// When what is due. https://prometheus.io/docs/prometheus/latest/querying/basics/#staleness
    package struct Schedule: Sendable, Equatable {
        package let pushInterval: Duration
        /// Above `pushInterval`: only what is due is sent. Equal to it: everything, every time.
        package let idleInterval: Duration

        /// An idle interval between two multiples of the push interval counts as the shorter one: no series is silent for
        /// longer than was asked.
        package init(pushInterval: Duration = .seconds(15), idleInterval: Duration = .seconds(15)) {
            self.pushInterval = pushInterval
            self.idleInterval = max(pushInterval, pushInterval * Int(idleInterval / pushInterval))
        }
    }

    /// Where a group's values come from.
    enum Source {
        case series(Series)
        /// Nowhere: an earlier process sent it, and nothing holds it any more.
        indirect case restored(SeriesKey)
        /// `up`.
        case one
    }

    enum Phase {
        /// Read at every tick. Can become: ending.
        case alive
        /// Ended since the last reading, or its stale marker was lost; one is due. Can become: alive, ended.
        case ending
        /// Its stale marker was made; kept until the receiver has it and for one tick at least, so that a series that comes
        /// back at once is known. Can become: alive, ending, free.
        case ended
        /// Nobody's. Can become: alive.
        case free
    }

    struct Group {
        var source: Source
        var phase = Phase.alive
        var firstRow: Int
        var rowCount: Int
        /// Counters and histograms: what `increase()` is asked of.
        var accumulates: Bool
        var cadence: FamilyDescriptor.Cadence
        /// When its newest sample was taken; nil where no sample of it can have reached the receiver.
        var lastSent: Timestamp?
        /// A sample went missing: send it at the next tick, changed or not.
        var isDue = true
        /// It rose from zero after the last reading: say so before its first sample.
        var startsAtZero: Bool
        /// Whether this process saw it begin.
        var beganHere: Bool
        /// The first and the last batch that hold a sample of it; 0 for none.
        var firstBatch: UInt64 = 0
        var lastBatch: UInt64 = 0
        /// Whether a request with a sample of it was ever begun, by this process or by an earlier one.
        var wasAttempted = false
        /// Whether the journal has been told that the receiver holds it.
        var isShipped = false
        /// Stale markers that were made for its end.
        var markers: UInt8 = 0
    }

    package enum Limits {
        /// Stale markers of one end: a receiver that refused so many does not want them.
        package static let markers: UInt8 = 5
        /// Ended groups that are kept until the receiver has their markers: what a day without a receiver leaves behind at
        /// a thousand organizations; 10 MB or so.
        package static let endedKept = 20_000
    }

    let schedule: Schedule
    let labels: CommonLabels
    var groups: [Group] = []
    /// Groups that are nobody's, by how many rows they have.
    var free: [Int: [Int]] = [:]
    var byKey: [SeriesKey: Int] = [:]

    // One element per row.
    var owners: [Int32] = []
    var values: [UInt64] = []
    var labelRanges: [Range<Int>] = []

    /// The label bytes of all rows, in no order.
    var labelBytes: [UInt8] = []
    var unusedLabelBytes = 0

    /// What the instruments of one group say, used again for each.
    var scratch: [UInt64] = []
    /// The timestamp of the last reading that this process made.
    package internal(set) var lastReading: Timestamp?
    /// Where the grid of idle intervals begins.
    var firstReading: Timestamp?
    var unattempted = 0

    /// Batches with a lower number are settled: the receiver has them, or their loss was noted.
    var settledBefore = UInt64.max
    /// Stale markers that the receiver may never have got, although their series ended.
    package internal(set) var markersGivenUp: UInt64 = 0

    /// Nothing is sent at or before this time: an earlier process did.
    package internal(set) var floor: Timestamp?
    /// What an earlier process sent and the registry has not shown yet; empty after the first reading.
    var restored: Set<SeriesKey> = []
    /// The declarations that those are described by; empty after the first reading.
    var families: [String: FamilyDescriptor] = [:]
    /// Whether anybody takes `began` and `ended`.
    package var recordsKeys = false
    var began: [SeriesKey] = []
    var ended: [SeriesKey] = []

    /// A table that holds `up` and nothing else yet.
    package init(labels: CommonLabels, schedule: Schedule = .init()) {
        self.labels = labels
        self.schedule = schedule
        add(.one, name: "up", own: [], kind: .gauge, cadence: .everyTick)
    }

    // MARK: Series come and go

    /// Takes over what came and went in the registry. Call it right before each reading.
    package mutating func apply(_ changes: Registry.Changes) {
        for series in changes.ended { end(series) }
        for series in changes.added { begin(series) }
    }

    private mutating func begin(_ series: Series) {
        let key = SeriesKey(series)
        if let index = byKey[key], groups[index].phase != .free {
            // It ended and came back: the labels are the same, the numbers start again.
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

    /// Adds a group at the end, with rows of its own.
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

    /// Gives a group and its label bytes back.
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

    /// What names the series of a group; nil for `up`, which never ends before the process does.
    func key(of index: Int) -> SeriesKey? {
        switch groups[index].source {
        case .series(let series): SeriesKey(series)
        case .restored(let key): key
        case .one: nil
        }
    }
}
