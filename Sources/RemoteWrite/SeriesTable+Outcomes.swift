/// A series whose zero was lost with its first batch, while later samples of it wait.
package struct LostStart: Sendable, Equatable {
    /// Its group in the table.
    let group: Int
    /// Its time series, and the label bytes of each.
    let rows: Range<Int>
    let labels: [[UInt8]]
}

extension SeriesTable {
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

    /// Every batch with a lower number is settled. Call it right before each reading, after its losses were noted.
    package mutating func noteSettled(before sequence: UInt64) { settledBefore = sequence }

    /// Samples of these rows will not arrive: their series are due at the next tick, their stale markers are made again.
    ///
    /// A series of which nothing ever left this process begins again, from zero: the receiver knows nothing of it. Another
    /// one must not, since the receiver would take the zero for a reset.
    ///
    /// - Returns: the series that need their zero in a batch that waits: `Delivery.restart` puts it there.
    @discardableResult
    package mutating func noteLoss(rows: Range<Int>, sequence: UInt64, wasAttempted: Bool) -> [LostStart] {
        var starts: [LostStart] = []
        forEachGroup(in: rows) { table, index in
            let group = table.groups[index]
            guard group.firstBatch != 0, group.firstBatch <= sequence else { return }
            let isUnknown = !wasAttempted && !group.wasAttempted
            if isUnknown && group.lastBatch > sequence && group.firstBatch == sequence && group.accumulates
                && group.beganHere
            {
                starts.append(table.lostStart(index))
            }
            switch group.phase {
            case .alive: table.groups[index].isDue = true
            case .ended where !isUnknown && group.lastBatch == sequence: table.repeatMarker(index)
            case .ended, .ending, .free: break
            }
            if isUnknown && group.lastBatch <= sequence { table.forget(index) }
        }
        return starts
    }

    /// Zeros were put into batches that wait: by group, the number of the batch.
    package mutating func noteRestart(_ places: [Int: UInt64]) {
        for (group, sequence) in places { groups[group].firstBatch = sequence }
    }

    /// The receiver knows nothing of this group.
    private mutating func forget(_ index: Int) {
        groups[index].lastSent = nil
        groups[index].firstBatch = 0
        groups[index].lastBatch = 0
        groups[index].startsAtZero = groups[index].accumulates && groups[index].beganHere
    }

    private mutating func repeatMarker(_ index: Int) {
        if groups[index].markers < Limits.markers {
            groups[index].phase = .ending
        } else {
            markersGivenUp += 1
        }
    }

    private func lostStart(_ index: Int) -> LostStart {
        let rows = groups[index].firstRow..<(groups[index].firstRow + groups[index].rowCount)
        return LostStart(group: index, rows: rows, labels: rows.map { Array(labelBytes[labelRanges[$0]]) })
    }

    private mutating func forEachGroup(in rows: Range<Int>, _ body: (inout SeriesTable, Int) -> Void) {
        var row = rows.lowerBound
        while row < min(rows.upperBound, owners.count) {
            let index = Int(owners[row])
            // What was given back has been settled: a batch of it may still wait.
            if groups[index].phase != .free { body(&self, index) }
            row = groups[index].firstRow + groups[index].rowCount
        }
    }
}
