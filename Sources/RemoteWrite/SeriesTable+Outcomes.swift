/// A series whose first zero was lost with its first batch, while later samples of it wait.
package struct LostStart: Sendable, Equatable {
    /// Its group in the series table.
    let group: Int
    /// The rows of its time series, with the label bytes of each.
    let rows: Range<Int>
    let labels: [[UInt8]]
}

extension SeriesTable {
    /// Notes that the first request with these rows begins.
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

    /// Notes that every batch with a lower number is settled. Call it right before each reading, after all losses were
    /// noted.
    package mutating func noteSettled(before sequence: UInt64) { settledBefore = sequence }

    /// Notes that samples of these rows will not arrive. Their series become due at the next tick, and their stale
    /// markers are made again.
    ///
    /// A series of which nothing was ever sent begins again from zero, because the receiver does not know it. Any other
    /// series must not: the receiver would take the zero for a reset.
    ///
    /// - Returns: the series that need their zero in a waiting batch. `Delivery.restart` puts it there.
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

    /// Notes the zeros that were put into waiting batches: the number of the batch for each group.
    package mutating func noteRestart(_ places: [Int: UInt64]) {
        for (group, sequence) in places { groups[group].firstBatch = sequence }
    }

    /// Resets a group that the receiver knows nothing of.
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
            // A free group has been settled, but a batch with its rows may still wait.
            if groups[index].phase != .free { body(&self, index) }
            row = groups[index].firstRow + groups[index].rowCount
        }
    }
}
