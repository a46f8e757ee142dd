import Metrics
package import Wire

extension SeriesTable {
    /// The outcome of a reading.
    package enum Reading: Sendable, Equatable {
        /// The reading was made, and its samples are in the writer.
        case made
        /// The clock does not show a later time than at the last reading: nothing was read.
        case skipped
    }

    /// Reads every series at one time, and writes those that are due.
    package mutating func read(at now: Timestamp, into writer: inout BatchWriter) -> Reading {
        if let last = lastReading ?? floor, now <= last { return .skipped }
        let times = Times(now: EncodedTime(now), previous: lastReading)
        if firstReading == nil {
            firstReading = now
            addRestored(before: now)
        }
        var kept = 0
        for index in groups.indices {
            switch groups[index].phase {
            case .free: continue
            case .ended:
                if groups[index].lastBatch < settledBefore {
                    release(index)
                } else if kept == Limits.endedKept {
                    markersGivenUp += 1
                    release(index)
                } else {
                    kept += 1
                }
            case .ending:
                writeStale(index, at: times.now, into: &writer)
                groups[index].phase = .ended
            case .alive: read(index, times, into: &writer)
            }
        }
        lastReading = now
        return .made
    }

    /// Writes a stale marker for every series: the last samples that a process sends. `now` must be later than the last
    /// reading.
    package mutating func endAll(at now: Timestamp, into writer: inout BatchWriter) {
        precondition(lastReading.map { $0 < now } ?? true, "the end comes after the last reading")
        let time = EncodedTime(now)
        for index in groups.indices where groups[index].phase == .alive || groups[index].phase == .ending {
            writeStale(index, at: time, into: &writer)
            groups[index].phase = .ended
        }
        lastReading = now
    }

    /// Frees the groups of series that ended and whose stale markers the receiver has.
    package mutating func releaseEnded() {
        for index in groups.indices where groups[index].phase == .ended && groups[index].lastBatch < settledBefore {
            release(index)
        }
    }

    /// The times that samples of one reading can have.
    private struct Times {
        let now: EncodedTime
        let previous: EncodedTime?

        init(now: EncodedTime, previous: Timestamp?) {
            self.now = now
            self.previous = previous.map { EncodedTime($0) }
        }

        /// The time for a sample before this reading: the previous tick, or right after `last` if `last` is not earlier
        /// than that. Nil if there is no time left between them and now.
        func before(after last: Timestamp?) -> EncodedTime? {
            guard let last else { return previous }
            if let previous, last < previous.timestamp { return previous }
            let next = last + .milliseconds(1)
            return next < now.timestamp ? EncodedTime(next) : nil
        }
    }

    private mutating func read(_ index: Int, _ times: Times, into writer: inout BatchWriter) {
        let first = groups[index].firstRow
        let count = groups[index].rowCount
        fill(from: groups[index].source)
        assert(scratch.count == count, "a histogram keeps its buckets")
        var hasChanged = false
        var isZero = true
        for offset in 0..<count {
            if scratch[offset] != values[first + offset] { hasChanged = true }
            if scratch[offset] != 0 { isZero = false }
        }
        // The group is read in place: a copy would retain the series object, and touch memory that is not cached.
        if isDue(index, hasChanged: hasChanged, at: times.now.timestamp) {
            var before: EncodedTime?
            var isZeroBefore = false
            if groups[index].startsAtZero {
                isZeroBefore = true
                before = isZero ? nil : times.before(after: groups[index].lastSent)
            } else if groups[index].accumulates && hasChanged, let last = groups[index].lastSent,
                let previous = times.previous,
                last < previous.timestamp
            {
                before = previous
            }
            write(index, before, isZeroBefore: isZeroBefore, times.now, into: &writer)
        }
        for offset in 0..<count { values[first + offset] = scratch[offset] }
    }

    private func isDue(_ index: Int, hasChanged: Bool, at now: Timestamp) -> Bool {
        guard !groups[index].isDue, let last = groups[index].lastSent, schedule.idleInterval > schedule.pushInterval
        else {
            return true
        }
        switch groups[index].cadence {
        case .everyTick: return true
        case .idleGrid: return idleSlot(now) != idleSlot(last)
        case .onChange: return hasChanged || idleSlot(now) != idleSlot(last)
        }
    }

    /// The idle interval that a tick belongs to, on the fixed idle grid. A tick may come half an interval early or
    /// late.
    ///
    /// A fixed grid is better than the time since the last sample. In a range of 15 min, the first and the last sample
    /// of a series are then in all at most one idle interval short of the range. So `increase()` extrapolates by less
    /// than 10 %.
    private func idleSlot(_ time: Timestamp) -> Int64 {
        let origin = (firstReading ?? time) - schedule.pushInterval / 2
        return time.since(origin).milliseconds / max(1, schedule.idleInterval.milliseconds)
    }

    private mutating func fill(from source: Source) {
        scratch.removeAll(keepingCapacity: true)
        switch source {
        case .one: scratch.append(SampleValue.bits(1))
        case .restored: preconditionFailure("what nothing holds has no value")
        case .series(let series):
            switch series.instrument {
            case .counter(let counter): scratch.append(SampleValue.bits(counter.value))
            case .gauge(let gauge): scratch.append(SampleValue.bits(gauge.value))
            case .histogram(let histogram):
                histogram.read(
                    bucket: { _, count in scratch.append(SampleValue.bits(count)) },
                    total: { sum, count in
                        scratch.append(SampleValue.bits(sum))
                        scratch.append(SampleValue.bits(count))
                    })
            }
        }
    }

    private mutating func write(
        _ index: Int, _ before: EncodedTime?, isZeroBefore: Bool, _ now: EncodedTime, into writer: inout BatchWriter
    ) {
        let first = groups[index].firstRow
        let count = groups[index].rowCount
        writer.makeRoom(samples: before == nil ? count : 2 * count, bytes: size(first..<(first + count)))
        for offset in 0..<count {
            let row = first + offset
            let earlier = before.map { EncodedSample(bits: isZeroBefore ? 0 : values[row], time: $0) }
            writer.append(
                row: row, labels: labelBytes[labelRanges[row]], earlier,
                EncodedSample(bits: scratch[offset], time: now))
        }
        groups[index].isDue = false
        groups[index].startsAtZero = false
        if !groups[index].isShipped && recordsKeys, let key = key(of: index) {
            groups[index].isShipped = true
            began.append(key)
        }
        noteWritten(index, at: now.timestamp, writer.sequence)
    }

    private mutating func writeStale(_ index: Int, at now: EncodedTime, into writer: inout BatchWriter) {
        guard let last = groups[index].lastSent, last < now.timestamp else { return }
        let rows = groups[index].firstRow..<(groups[index].firstRow + groups[index].rowCount)
        writer.makeRoom(samples: rows.count, bytes: size(rows))
        for row in rows {
            writer.append(
                row: row, labels: labelBytes[labelRanges[row]], nil,
                EncodedSample(bits: SampleValue.stale, time: now))
        }
        groups[index].markers += 1
        noteWritten(index, at: now.timestamp, writer.sequence)
    }

    private mutating func noteWritten(_ index: Int, at time: Timestamp, _ sequence: UInt64) {
        groups[index].lastSent = time
        groups[index].lastBatch = sequence
        if groups[index].firstBatch == 0 { groups[index].firstBatch = sequence }
    }

    /// An upper bound for the bytes that these rows take in a request.
    private func size(_ rows: Range<Int>) -> Int {
        rows.reduce(0) { $0 + labelRanges[$1].count + 48 }
    }
}
