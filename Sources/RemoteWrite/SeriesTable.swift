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
        /// `up`.
        case one
    }

    enum Life {
        /// Read at every tick. Can become: ending.
        case alive
        /// Ended since the last reading; a stale marker is due. Can become: ended.
        case ending
        /// Its stale marker was made at the last reading; kept one tick, so that a series that comes back at once is
        /// known. Can become: alive, free.
        case ended
        /// Nobody's. Can become: alive.
        case free
    }

    struct Group {
        var source: Source
        var life = Life.alive
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
        /// Whether a request with a sample of it was ever begun.
        var wasAttempted = false
    }

    let schedule: Schedule
    let labels: CommonLabels
    var groups: [Group] = []
    /// Groups that are nobody's, by how many rows they have.
    var free: [Int: [Int]] = [:]
    var byIdentity: [Identity: Int] = [:]

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
        let identity = Identity(series: series)
        if let index = byIdentity[identity], groups[index].life != .free {
            // It ended and came back: the labels are the same, the numbers start again.
            let wasSent = groups[index].lastSent != nil
            groups[index].source = .series(series)
            groups[index].life = .alive
            groups[index].isDue = true
            groups[index].beganHere = true
            groups[index].startsAtZero = groups[index].accumulates && (wasSent || lastReading != nil)
            return
        }
        let names = series.family.labelNames
        let own = zip(names, series.labelValues).map { (name: $0, value: $1) }
        byIdentity[identity] = add(
            .series(series), name: series.family.name, own: own, kind: series.family.kind,
            cadence: series.family.cadence)
    }

    private mutating func end(_ series: Series) {
        guard let index = byIdentity[Identity(series: series)], case .series(let current) = groups[index].source,
            current === series, groups[index].life == .alive
        else { return }
        groups[index].life = .ending
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
        if case .series(let series) = group.source { byIdentity[Identity(series: series)] = nil }
        if !group.wasAttempted { unattempted -= 1 }
        groups[index].life = .free
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

    // MARK: What became of batches

    /// A request with these rows is begun for the first time.
    package mutating func noteAttempt(rows: Range<Int>, sequence: UInt64) {
        guard unattempted > 0 else { return }
        forEachGroup(in: rows) { table, index in
            let group = table.groups[index]
            if !group.wasAttempted && group.firstBatch != 0 && group.firstBatch <= sequence {
                table.groups[index].wasAttempted = true
                table.unattempted -= 1
            }
        }
    }

    /// Samples of these rows will not arrive: their series are due at the next tick.
    ///
    /// One of which nothing ever left this process begins again, from zero: the receiver knows nothing of it. Another
    /// one must not, since the receiver would take the zero for a reset.
    package mutating func noteLoss(rows: Range<Int>, sequence: UInt64, wasAttempted: Bool) {
        forEachGroup(in: rows) { table, index in
            var group = table.groups[index]
            guard group.life == .alive, group.firstBatch != 0, group.firstBatch <= sequence else { return }
            group.isDue = true
            if !wasAttempted && !group.wasAttempted && group.lastBatch <= sequence {
                group.lastSent = nil
                group.firstBatch = 0
                group.lastBatch = 0
                group.startsAtZero = group.accumulates && group.beganHere
            }
            table.groups[index] = group
        }
    }

    private mutating func forEachGroup(in rows: Range<Int>, _ body: (inout SeriesTable, Int) -> Void) {
        var row = rows.lowerBound
        while row < min(rows.upperBound, owners.count) {
            let index = Int(owners[row])
            // What was given back has been settled: a batch of it may still wait.
            if groups[index].life != .free { body(&self, index) }
            row = groups[index].firstRow + groups[index].rowCount
        }
    }

    /// Two series with the same name and label values are the same time series.
    struct Identity: Hashable {
        let series: Series

        static func == (a: Identity, b: Identity) -> Bool {
            a.series === b.series
                || (a.series.family.name == b.series.family.name && a.series.labelValues == b.series.labelValues)
        }

        func hash(into hasher: inout Hasher) {
            hasher.combine(series.family.name)
            hasher.combine(series.labelValues)
        }
    }
}
