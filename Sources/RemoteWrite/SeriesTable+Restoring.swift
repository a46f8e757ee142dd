package import Metrics
import Wire

extension SeriesTable {
    /// Takes over what an earlier process sent. Call it before anything else, once.
    ///
    /// A restored series that is held at the first reading goes on: it gets no zero. One that is not held gets a stale
    /// marker there; its labels and buckets are those of its family now. One whose family does not exist any more, or has
    /// another number of labels, is left to end by itself; so are all where the common labels are others than before.
    ///
    /// - Parameter families: those that are declared.
    package mutating func restore(_ state: ShippedState, families descriptors: [FamilyDescriptor]) {
        precondition(lastReading == nil && byKey.isEmpty, "what was is restored before anything is read")
        floor = state.lastReading
        guard state.labels == labels.fingerprint else {
            if recordsKeys { ended.append(contentsOf: state.series) }
            return
        }
        restored = Set(state.series)
        families = Dictionary(descriptors.map { ($0.name, $0) }) { first, _ in first }
    }

    /// The time of the last reading of an earlier process was wrong: readings may carry earlier ones.
    package mutating func forgetFloor() { floor = nil }

    /// The series that began to be sent since the last call, and those that need no stale marker any more. Only where
    /// `recordsKeys` is set.
    package mutating func takeKeys() -> (began: [SeriesKey], ended: [SeriesKey]) {
        defer { (began, ended) = ([], []) }
        return (began, ended)
    }

    /// Makes groups that end at once of what an earlier process sent and the registry does not hold.
    mutating func addRestored(before now: Timestamp) {
        let earlier = now - .milliseconds(1)
        let last = min(floor ?? earlier, earlier)
        for key in restored.sorted() {
            guard let family = families[key.family], family.labelNames.count == key.labelValues.count else {
                if recordsKeys { ended.append(key) }
                continue
            }
            let index = add(.restored(key), family, key.labelValues)
            byKey[key] = index
            groups[index].phase = .ending
            noteShippedBefore(index, until: last)
        }
        restored = []
        families = [:]
    }

    /// The receiver knows a group from an earlier process.
    mutating func noteShippedBefore(_ index: Int, until last: Timestamp?) {
        groups[index].lastSent = last
        groups[index].isShipped = true
        if !groups[index].wasAttempted { unattempted -= 1 }
        groups[index].wasAttempted = true
    }
}
