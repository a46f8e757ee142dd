import Metrics
package import Wire

extension SeriesTable {
    /// The outcome of a reading.
    package enum Reading: Sendable, Equatable {
        /// The reading was made, and its samples are in the block.
        case made
        /// The clock does not show a later time than at the last reading: nothing was read.
        case skipped
    }

    /// Takes a reading, and puts the samples of the series that are due into `block`. Readings come in the order of
    /// their times.
    ///
    /// - Parameter isLast: no other reading follows. So counters are due that would have waited for the grid.
    package mutating func take(
        _ reading: RegistryReading, isLast: Bool = false, into block: inout SampleBlock
    ) -> Reading {
        let now = reading.time
        apply(reading)
        if let last = lastReading ?? floor, now <= last {
            noteSkipped(reading)
            return .skipped
        }
        block.reset(base: now)
        if firstReading == nil {
            firstReading = now
            addRestored(before: now)
        }
        let times = Times(
            now: now, previous: lastReading.map { max($0, now - SampleBlock.Limits.span) },
            areIdlePossible: schedule.idleInterval > schedule.pushInterval,
            idleSlot: schedule.idleSlot(of: now, since: firstReading ?? now), isLast: isLast)
        for index in groups.indices {
            switch groups[index].phase {
            case .free: continue
            case .ended: if groups[index].pending == 0 && !isSpooled(index) { release(index) }
            case .ending:
                writeStale(index, at: now, into: &block)
                groups[index].phase = .ended
            case .alive: read(index, times, reading.values, into: &block)
            }
        }
        lastReading = now
        return .made
    }

    /// Keeps the values of a reading that comes to nothing. Their series are due at the next one.
    private mutating func noteSkipped(_ reading: RegistryReading) {
        for index in groups.indices where groups[index].place >= 0 {
            keep(reading.values, of: index)
            groups[index].isDue = true
        }
    }

    /// Puts a stale marker for every series into `block`: the last samples that a process sends. `now` must be later
    /// than the last reading.
    package mutating func endAll(at now: Timestamp, into block: inout SampleBlock) {
        precondition(lastReading.map { $0 < now } ?? true, "the end comes after the last reading")
        block.reset(base: now)
        for index in groups.indices where groups[index].phase == .alive || groups[index].phase == .ending {
            writeStale(index, at: now, into: &block)
            groups[index].phase = .ended
        }
        lastReading = now
    }

    /// Frees the groups of series that ended and whose stale markers are settled.
    package mutating func releaseEnded() {
        for index in groups.indices
        where groups[index].phase == .ended && groups[index].pending == 0 && !isSpooled(index) { release(index) }
    }

    /// The times that samples of one reading can have.
    private struct Times {
        let now: Timestamp
        let previous: Timestamp?
        /// Series may be left out of this reading.
        let areIdlePossible: Bool
        let idleSlot: Int64
        /// No other reading follows.
        let isLast: Bool

        /// The time for a sample before this reading: the previous tick, or right after `last` if `last` is not earlier
        /// than that. Nil if there is no time left between them and now.
        func before(after last: Timestamp?) -> Timestamp? {
            guard let last else { return previous }
            if let previous, last < previous { return previous }
            let next = last + .milliseconds(1)
            return next < now ? next : nil
        }
    }

    /// - Parameter new: the values of the reading, where `Group.place` points to.
    private mutating func read(_ index: Int, _ times: Times, _ new: [UInt64], into block: inout SampleBlock) {
        let isRead = groups[index].place >= 0
        let hasChanged = isRead && differs(index, new)
        if isDue(index, hasChanged: hasChanged, times) {
            var before: Timestamp?
            if groups[index].startsAtZero {
                before = isZero(index, new) ? nil : times.before(after: groups[index].lastSent)
            } else if hasChanged && groups[index].accumulates && groups[index].cadence != .idleGrid,
                let last = groups[index].lastSent,
                let previous = times.previous, last < previous
            {
                before = previous
            }
            write(index, before, times, new, into: &block)
        }
        if isRead { keep(new, of: index) }
    }

    /// Makes the values of a reading those from before.
    private mutating func keep(_ new: [UInt64], of index: Int) {
        let (first, place) = (groups[index].firstRow, Int(groups[index].place))
        for offset in 0..<groups[index].rowCount { values[first + offset] = new[place + offset] }
        groups[index].place = -1
    }

    /// True if the values that were read are not those from before.
    private func differs(_ index: Int, _ new: [UInt64]) -> Bool {
        let (first, place) = (groups[index].firstRow, Int(groups[index].place))
        for offset in 0..<groups[index].rowCount where new[place + offset] != values[first + offset] { return true }
        return false
    }

    private func isZero(_ index: Int, _ new: [UInt64]) -> Bool {
        let (first, count, place) = (groups[index].firstRow, groups[index].rowCount, Int(groups[index].place))
        return place >= 0
            ? new[place..<(place + count)].allSatisfy { $0 == 0 }
            : values[first..<(first + count)].allSatisfy { $0 == 0 }
    }

    private func isDue(_ index: Int, hasChanged: Bool, _ times: Times) -> Bool {
        guard times.areIdlePossible, !groups[index].isDue, groups[index].lastSent != nil else { return true }
        switch groups[index].cadence {
        case .everyTick: return true
        case .idleGrid:
            return groups[index].idleSlot != times.idleSlot || times.isLast && groups[index].accumulates
        case .onChange: return hasChanged || groups[index].idleSlot != times.idleSlot
        }
    }

    private mutating func write(
        _ index: Int, _ before: Timestamp?, _ times: Times, _ new: [UInt64], into block: inout SampleBlock
    ) {
        let (first, count, now) = (groups[index].firstRow, groups[index].rowCount, times.now)
        let place = Int(groups[index].place)
        if groups[index].accumulates && groups[index].start == nil { noteStart(index, before, at: now) }
        if let before {
            let isZeroBefore = groups[index].startsAtZero
            for offset in 0..<count {
                block.append(row: first + offset, at: before, isZeroBefore ? 0 : values[first + offset])
                block.append(row: first + offset, at: now, place >= 0 ? new[place + offset] : values[first + offset])
            }
        } else if place >= 0 {
            for offset in 0..<count { block.append(row: first + offset, at: now, new[place + offset]) }
        } else {
            for row in first..<(first + count) { block.append(row: row, at: now, values[row]) }
        }
        groups[index].idleSlot = times.idleSlot
        groups[index].isDue = false
        groups[index].startsAtZero = false
        if !groups[index].isShipped && recordsKeys, let key = key(of: index) {
            groups[index].isShipped = true
            began.append(key)
        }
        groups[index].lastSent = now
        groups[index].pending += Int32(before == nil ? count : 2 * count)
    }

    /// Sets the time from which a series counts: that of its zero, or the beginning of a series that is no new one.
    private mutating func noteStart(_ index: Int, _ zero: Timestamp?, at now: Timestamp) {
        if groups[index].startsAtZero, let zero {
            groups[index].start = zero
        } else if case .series(let series) = sources[index], let created = series.created {
            groups[index].start = min(created, now)
        } else {
            groups[index].start = now
        }
    }

    private mutating func writeStale(_ index: Int, at now: Timestamp, into block: inout SampleBlock) {
        guard let last = groups[index].lastSent, last < now else { return }
        let rows = groups[index].firstRow..<(groups[index].firstRow + groups[index].rowCount)
        for row in rows { block.append(row: row, at: now, SampleValue.stale) }
        groups[index].markers += 1
        groups[index].lastSent = now
        groups[index].pending += Int32(rows.count)
    }
}
