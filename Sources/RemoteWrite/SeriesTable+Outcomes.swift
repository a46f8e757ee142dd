import Wire

extension SeriesTable {
    /// Notes that the first request with these samples begins.
    package mutating func noteAttempt(_ samples: ArraySlice<QueuedSample>) {
        forEachGroup(of: samples) { table, index, _ in table.groups[index].wasAttempted = true }
    }

    /// Notes that these samples wait. A reading notes it of what it makes.
    package mutating func notePending(_ samples: ArraySlice<QueuedSample>) {
        forEachGroup(of: samples) { table, index, part in table.groups[index].pending += Int32(part.count) }
    }

    /// Notes that the receiver has these samples.
    package mutating func noteAccepted(_ samples: ArraySlice<QueuedSample>) { endPending(samples) }

    /// Notes that samples are on disk, and not in memory any more.
    mutating func noteSpooled(_ samples: ArraySlice<QueuedSample>) { endPending(samples) }

    private mutating func endPending(_ samples: ArraySlice<QueuedSample>) {
        forEachGroup(of: samples) { table, index, part in table.groups[index].pending -= Int32(part.count) }
    }

    /// Notes that these samples will not arrive. Their series become due at the next tick, and their stale markers are
    /// made again.
    ///
    /// A series of which nothing was ever sent begins again from zero, because the receiver does not know it. Any other
    /// series must not: the receiver would take the zero for a reset.
    package mutating func noteLoss(_ samples: ArraySlice<QueuedSample>, wasAttempted: Bool) {
        forEachGroup(of: samples) { table, index, part in
            table.groups[index].pending -= Int32(part.count)
            let group = table.groups[index]
            let isUnknown = !wasAttempted && !group.wasAttempted
            switch group.phase {
            case .alive: table.groups[index].isDue = true
            case .ended where !isUnknown && part.last?.isStale == true: table.repeatMarker(index)
            case .ended, .ending, .free: break
            }
            if isUnknown { table.forgetLost(index, part) }
        }
    }

    /// Notes that samples were lost of a series that the receiver does not know.
    private mutating func forgetLost(_ index: Int, _ lost: ArraySlice<QueuedSample>) {
        let startsHere = groups[index].accumulates && groups[index].beganHere
        if groups[index].pending > 0 || isSpooled(index) {
            // A clock that is set back loses the newest samples. The zero still waits then.
            groups[index].lacksZero = startsHere && (groups[index].lacksZero || Self.isStart(lost))
        } else {
            groups[index].lastSent = nil
            groups[index].lacksZero = false
            groups[index].startsAtZero = startsHere
            if startsHere { groups[index].start = nil }
        }
    }

    /// True if samples of a group hold its first zero: each of their rows begins with one.
    private static func isStart(_ samples: ArraySlice<QueuedSample>) -> Bool {
        var row: UInt32?
        for sample in samples where sample.row != row {
            if sample.bits != 0 { return false }
            row = sample.row
        }
        return true
    }

    private mutating func repeatMarker(_ index: Int) {
        if groups[index].markers < Limits.markers {
            groups[index].phase = .ending
        } else {
            markersGivenUp += 1
        }
    }

    /// Copies samples to the end of `batch`. A series whose first zero was dropped gets another one, right before its
    /// first sample.
    ///
    /// - Parameter samples: all samples of some groups.
    /// - Returns: the number of zeros.
    mutating func append(_ samples: ArraySlice<QueuedSample>, to batch: inout [QueuedSample], base: Timestamp) -> Int {
        var copied = samples.startIndex
        var zeros = 0
        forEachGroup(of: samples) { table, index, part in
            guard table.groups[index].lacksZero else { return }
            table.groups[index].lacksZero = false
            guard let first = part.first, !first.isStale else { return }
            batch.append(contentsOf: samples[copied..<part.startIndex])
            copied = part.endIndex
            var row: UInt32?
            for sample in part {
                if sample.row != row {
                    batch.append(QueuedSample(row: sample.row, offset_ms: sample.offset_ms - 1, bits: 0))
                    zeros += 1
                    table.groups[index].pending += 1
                }
                row = sample.row
                batch.append(sample)
            }
            table.groups[index].start = base + .milliseconds(Int64(first.offset_ms) - 1)
        }
        batch.append(contentsOf: samples[copied...])
        return zeros
    }

    /// Calls `body` with each group and its samples, which follow one another.
    mutating func forEachGroup(
        of samples: ArraySlice<QueuedSample>, _ body: (inout SeriesTable, Int, ArraySlice<QueuedSample>) -> Void
    ) {
        var index = samples.startIndex
        while index < samples.endIndex {
            let owner = owners[Int(samples[index].row)]
            var end = index + 1
            while end < samples.endIndex && owners[Int(samples[end].row)] == owner { end += 1 }
            body(&self, Int(owner), samples[index..<end])
            index = end
        }
    }
}
