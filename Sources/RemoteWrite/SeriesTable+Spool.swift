import Metrics
import Wire

/// The rows that the series of a table have in a spool, and the other way round.
///
/// A row of a spool keeps its series for as long as the spool holds anything. So the samples in it can be read by a
/// later process, whose table has other rows. It is empty, and takes no memory, while the spool is empty.
struct SpoolRows {
    static let none = UInt32.max
    /// The most rows of a spool that an earlier process left: more are damage. They take 128 MiB.
    static let most = 1 << 25

    struct Place {
        /// The first row in the spool; `none` if the series is not there.
        var firstRow = SpoolRows.none
        /// The start that the spool knows.
        var start: Timestamp?
    }

    /// By group.
    var places: [Place] = []
    /// The row of the table for each row of the spool; `none` if it has none.
    var rows: [UInt32] = []
    /// Series that have rows, and are not written yet.
    var unwritten: [SpooledSeries] = []
    /// True if two groups may be one series to the receiver: one of this process, and one of an earlier process that had
    /// other buckets or other common labels.
    var hasTwins = false
}

extension SeriesTable {
    /// The groups for which there is memory, free ones too.
    package var groupCount: Int { groups.count }

    /// True if samples of the group may be in the spool: it keeps its rows.
    func isSpooled(_ index: Int) -> Bool {
        index < spool.places.count && spool.places[index].firstRow != SpoolRows.none
    }

    /// The same samples with rows of the spool. Series that the spool does not have yet become `unwritten`.
    mutating func spooled(_ samples: ArraySlice<QueuedSample>, base: Timestamp, into block: inout SampleBlock) {
        block.reset(base: base)
        block.samples.reserveCapacity(samples.count)
        if spool.places.count < groups.count {
            spool.places.append(
                contentsOf: repeatElement(SpoolRows.Place(), count: groups.count - spool.places.count))
        }
        forEachGroup(of: samples) { table, index, part in
            if table.spool.places[index].firstRow == SpoolRows.none
                || table.spool.places[index].start != table.groups[index].start
            {
                table.addToSpool(index)
            }
            let shift = table.spool.places[index].firstRow &- UInt32(table.groups[index].firstRow)
            for sample in part {
                block.samples.append(
                    QueuedSample(row: sample.row &+ shift, offset_ms: sample.offset_ms, bits: sample.bits))
            }
        }
    }

    /// Gives a group rows in the spool, with its start as it is now.
    private mutating func addToSpool(_ index: Int) {
        let group = groups[index]
        let place = SpoolRows.Place(firstRow: UInt32(spool.rows.count), start: group.start)
        spool.places[index] = place
        spool.rows.append(contentsOf: (0..<group.rowCount).map { UInt32(group.firstRow + $0) })
        spool.unwritten.append(definition(of: index, place))
    }

    private func definition(of index: Int, _ place: SpoolRows.Place) -> SpooledSeries {
        let (family, labelValues, common): (FamilyDescriptor, [String], CommonLabels) =
            switch sources[index] {
            case .one: (Self.up, [], labels.common)
            case .series(let series): (series.family, series.labelValues, labels.common)
            case .restored(let restored): (restored.family, restored.key.labelValues, restored.common ?? labels.common)
            }
        return SpooledSeries(
            firstRow: place.firstRow, family: family.name, help: family.help, kind: family.kind,
            labelNames: family.labelNames, labelValues: labelValues, commonNames: common.names,
            commonValues: common.values, start: place.start)
    }

    /// Gives samples of the spool the rows of the table. They wait from now on. Returns false, and changes nothing, if
    /// the spool does not have one of the rows.
    mutating func unspool(_ block: inout SampleBlock) -> Bool {
        for index in block.samples.indices {
            let row = Int(block.samples[index].row)
            guard row < spool.rows.count, spool.rows[row] != SpoolRows.none else { return false }
            block.samples[index].row = spool.rows[row]
        }
        notePending(block.samples[...])
        return true
    }

    /// Takes over the series of a spool that an earlier process left. Call it after the first reading, with the series in
    /// the order of their rows. A series that the process has as well shares its rows. Any other one keeps its own labels
    /// until the spool is empty.
    mutating func adopt(_ series: [SpooledSeries]) {
        var adopted: [SeriesKey: [Int]] = [:]
        var common = labels.common
        for one in series {
            guard
                let family = FamilyDescriptor.restored(
                    name: one.family, help: one.help, kind: one.kind, labelNames: one.labelNames),
                one.labelNames.count == one.labelValues.count, one.commonNames.count == one.commonValues.count,
                Int(one.firstRow) + one.rowCount <= SpoolRows.most
            else { continue }
            if one.commonNames != common.names || one.commonValues != common.values {
                common = CommonLabels(pairs: zip(one.commonNames, one.commonValues).map { (name: $0, value: $1) })
            }
            let index = group(for: one, family, common, &adopted)
            let missing = Int(one.firstRow) + one.rowCount - spool.rows.count
            if missing > 0 { spool.rows.append(contentsOf: repeatElement(SpoolRows.none, count: missing)) }
            for offset in 0..<one.rowCount {
                spool.rows[Int(one.firstRow) + offset] = UInt32(groups[index].firstRow + offset)
            }
            if spool.places.count < groups.count {
                spool.places.append(
                    contentsOf: repeatElement(SpoolRows.Place(), count: groups.count - spool.places.count))
            }
            spool.places[index] = SpoolRows.Place(firstRow: one.firstRow, start: one.start)
        }
    }

    /// The group of a series of the spool.
    ///
    /// - Parameter adopted: the groups that were made for it, by key.
    private mutating func group(
        for series: SpooledSeries, _ family: FamilyDescriptor, _ common: CommonLabels,
        _ adopted: inout [SeriesKey: [Int]]
    ) -> Int {
        let key = SeriesKey(family: series.family, labelValues: series.labelValues)
        let isOurs = common == labels.common
        if isOurs, series.family == Self.up.name, series.labelValues.isEmpty { return 0 }
        if isOurs, let index = byKey[key], groups[index].phase != .free, hasSameRows(index, as: family) { return index }
        let others = adopted[key] ?? []
        if let index = others.first(where: { hasSameRows($0, as: family) && hasCommon($0, common) }) { return index }
        if !others.isEmpty || byKey[key] != nil || series.family == Self.up.name { spool.hasTwins = true }
        let restored = RestoredSeries(key: key, family: family, common: isOurs ? nil : common)
        let index = add(.restored(restored), family, series.labelValues, common: common)
        groups[index].phase = .ended
        groups[index].markers = Limits.markers
        groups[index].lastSent = floor
        groups[index].wasAttempted = true
        groups[index].isDue = false
        groups[index].start = series.start
        if isOurs && byKey[key] == nil { byKey[key] = index }
        adopted[key, default: []].append(index)
        return index
    }

    /// True if a group of an earlier process had these common labels.
    private func hasCommon(_ index: Int, _ common: CommonLabels) -> Bool {
        guard case .restored(let restored) = sources[index] else { return false }
        return (restored.common ?? labels.common) == common
    }

    func hasSameRows(_ index: Int, as family: FamilyDescriptor) -> Bool {
        switch sources[index] {
        case .one: false
        case .series(let series): series.family.kind == family.kind && series.family.labelNames == family.labelNames
        case .restored(let other): other.family.kind == family.kind && other.family.labelNames == family.labelNames
        }
    }

    /// Gives the spool the series again that it has lost.
    ///
    /// - Parameter known: the first rows of the series that it still has.
    mutating func renewSpool(known: Set<UInt32>) {
        let unwritten = Set(spool.unwritten.map(\.firstRow))
        for index in spool.places.indices {
            let row = spool.places[index].firstRow
            guard row != SpoolRows.none, !known.contains(row), !unwritten.contains(row) else { continue }
            spool.unwritten.append(definition(of: index, spool.places[index]))
        }
    }

    /// Forgets the rows of the spool, which is empty.
    mutating func forgetSpool() { spool = SpoolRows() }

    /// Notes that samples were lost of which nothing is known: every series is due at the next tick.
    mutating func noteUnknownLoss() {
        for index in groups.indices where groups[index].phase == .alive { groups[index].isDue = true }
    }
}
