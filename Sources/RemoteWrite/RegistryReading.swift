package import Metrics
package import Wire

/// The result of one reading of the registry, for all destinations: the series that came and went since the reading
/// before, and the values of those that changed.
package struct RegistryReading: Sendable {
    /// The time that all values have.
    package let time: Timestamp
    /// The series that came and went, each list in order.
    package internal(set) var changes: Registry.Changes
    /// The slots of the series with new values, in no order. A slot may be in it twice: the later values count.
    var slots: [Int32]
    /// The place of the first value of each of them in `values`.
    var places: [Int32]
    /// The bits of the values. A histogram has those of its cumulative buckets, its sum and its count.
    var values: [UInt64]

    /// The number of new values.
    package var count: Int { values.count }

    /// This reading without values that a later one replaces: the table goes right to the state of `next`. It takes
    /// `O(values of both)`.
    package func merged(with next: RegistryReading) -> RegistryReading {
        var merged = RegistryReading(
            time: next.time, changes: changes, slots: next.slots, places: next.places, values: next.values)
        // A series that came and went in between was never seen.
        let gone = Set(next.changes.ended.map(ObjectIdentifier.init))
        merged.changes.added.removeAll { gone.contains(ObjectIdentifier($0)) }
        let unseen = Set(changes.added.map(ObjectIdentifier.init)).intersection(gone)
        merged.changes.ended += next.changes.ended.filter { !unseen.contains(ObjectIdentifier($0)) }
        merged.changes.added += next.changes.added
        // The slot of a series that is gone may be another's now.
        let later = Set(next.slots)
        for (index, slot) in slots.enumerated() where !later.contains(slot) {
            merged.slots.append(slot)
            merged.places.append(Int32(merged.values.count))
            let end = index + 1 < places.count ? Int(places[index + 1]) : values.count
            merged.values.append(contentsOf: values[Int(places[index])..<end])
        }
        return merged
    }
}

/// Reads the registry. There is one reader, since each change is told once.
///
/// When warm, it allocates nothing: the memory of a reading is used again once all destinations have let it go.
package struct RegistryReader {
    private enum Limits {
        /// The readings whose memory is kept: the one that the destinations have, and the one before.
        static let spares = 2
        /// Memory is not kept if it is more than this many times what was used, as after the first reading, which has
        /// all values.
        static let excess = 4
        static let excess_values = 4_096
    }

    private let registry: Registry
    /// The series that exist, by their slots.
    private var series: [Series?] = []
    /// The number of the reading in which a slot was read last.
    private var readIn: [UInt32] = []
    private var number: UInt32 = 0
    private var changed: [Int32] = []
    private var spares: [RegistryReading] = []

    /// The series that exist already come with the first reading.
    package init(_ registry: Registry) {
        self.registry = registry
        registry.startRecordingChanges()
    }

    /// Reads everything that changed since the last reading, at one time. Call `Registry.collect` before.
    package mutating func read(at time: Timestamp) -> RegistryReading {
        // A series that begins meanwhile is read whole, whether its change is in the list or not.
        registry.takeChangedSlots(into: &changed)
        var reading = spareReading(at: time)
        reading.changes = registry.takeChanges()
        number &+= 1
        for series in reading.changes.ended {
            if self.series[Int(series.slot)] === series { self.series[Int(series.slot)] = nil }
        }
        for series in reading.changes.added {
            let missing = Int(series.slot) + 1 - self.series.count
            if missing > 0 {
                self.series.append(contentsOf: repeatElement(nil, count: missing))
                readIn.append(contentsOf: repeatElement(0, count: missing))
            }
            self.series[Int(series.slot)] = series
            read(series, into: &reading)
        }
        for slot in changed where Int(slot) < series.count {
            // The slot of a series that ended may be a later one's, which is then read in vain.
            guard readIn[Int(slot)] != number, let series = series[Int(slot)] else { continue }
            read(series, into: &reading)
        }
        keep(reading)
        return reading
    }

    private mutating func read(_ series: Series, into reading: inout RegistryReading) {
        readIn[Int(series.slot)] = number
        reading.slots.append(series.slot)
        reading.places.append(Int32(reading.values.count))
        switch series.instrument {
        case .counter(let counter): reading.values.append(SampleValue.bits(counter.readChange()))
        case .gauge(let gauge): reading.values.append(SampleValue.bits(gauge.readChange()))
        case .histogram(let histogram):
            histogram.readChange(
                bucket: { _, count in reading.values.append(SampleValue.bits(count)) },
                total: { sum, count in
                    reading.values.append(SampleValue.bits(sum))
                    reading.values.append(SampleValue.bits(count))
                })
        }
    }

    private mutating func spareReading(at time: Timestamp) -> RegistryReading {
        guard spares.count == Limits.spares else {
            return RegistryReading(time: time, changes: Registry.Changes(), slots: [], places: [], values: [])
        }
        let spare = spares.removeFirst()
        var reading = RegistryReading(
            time: time, changes: Registry.Changes(), slots: spare.slots, places: spare.places, values: spare.values)
        _ = consume spare
        reading.slots.removeAll(keepingCapacity: true)
        reading.places.removeAll(keepingCapacity: true)
        reading.values.removeAll(keepingCapacity: true)
        return reading
    }

    private mutating func keep(_ reading: RegistryReading) {
        guard reading.values.capacity <= Limits.excess * reading.values.count + Limits.excess_values else { return }
        var kept = reading
        kept.changes = Registry.Changes()
        spares.append(kept)
        if spares.count > Limits.spares { spares.removeFirst() }
    }
}
