package import Metrics
package import Wire

extension SeriesTable {
    /// Restores what an earlier process sent. Call it once, before anything else.
    ///
    /// A restored series that the registry holds at the first reading goes on without a zero. One that it does not hold
    /// gets a stale marker there, with the labels and buckets that its family has now. A series is left to go stale by
    /// itself if its family does not exist any more or has another number of labels. The same goes for all series if
    /// the common labels have changed.
    ///
    /// - Parameter families: the declared families.
    package mutating func restore(_ state: ShippedState, families descriptors: [FamilyDescriptor]) {
        precondition(lastReading == nil && byKey.isEmpty, "what was is restored before anything is read")
        floor = state.lastReading
        guard state.labels == labels.common.fingerprint else {
            if recordsKeys { ended.append(contentsOf: state.series) }
            return
        }
        restored = Set(state.series)
        families = Dictionary(descriptors.map { ($0.name, $0) }) { first, _ in first }
    }

    /// Notes that the clock was wrong and is set back: readings may have earlier times from now on.
    ///
    /// No series begins from zero because of it. What the receiver took with a later time stays newer than all that
    /// follows, until the clock has passed it.
    package mutating func setBack(to now: Timestamp) {
        floor = nil
        lastReading = nil
        firstReading = firstReading.map { min($0, now) }
        for index in groups.indices where groups[index].phase != .free {
            if let last = groups[index].lastSent, last >= now { groups[index].lastSent = now - .milliseconds(1) }
            if let start = groups[index].start, start > now { groups[index].start = nil }
            groups[index].isDue = true
        }
    }

    /// Takes the series that began since the last call, and those that need no stale marker any more. Both are empty
    /// unless `recordsKeys` is set.
    package mutating func takeKeys() -> (began: [SeriesKey], ended: [SeriesKey]) {
        defer { (began, ended) = ([], []) }
        return (began, ended)
    }

    /// Makes groups for restored series that the registry does not hold. They end at once.
    mutating func addRestored(before now: Timestamp) {
        let earlier = now - .milliseconds(1)
        let last = min(floor ?? earlier, earlier)
        for key in restored.sorted() {
            guard let family = families[key.family], family.labelNames.count == key.labelValues.count else {
                if recordsKeys { ended.append(key) }
                continue
            }
            let index = add(.restored(RestoredSeries(key: key, family: family, common: nil)), family, key.labelValues)
            byKey[key] = index
            groups[index].phase = .ending
            noteShippedBefore(index, until: last)
        }
        restored = []
        families = [:]
    }

    /// Notes that the receiver knows this group from an earlier process.
    mutating func noteShippedBefore(_ index: Int, until last: Timestamp?) {
        groups[index].lastSent = last
        groups[index].isShipped = true
        groups[index].wasAttempted = true
    }
}
