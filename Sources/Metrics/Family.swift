import Synchronization
package import Wire

/// A metric family: all series of one metric.
///
/// Any thread may call it. A look-up hashes the labels under a lock, so callers keep the instrument instead of the
/// labels.
package final class Family<I: Instrument>: Sendable {
    private struct Child {
        let instrument: I
        let series: Series
    }

    package let descriptor: FamilyDescriptor
    private let registry: Registry.Shared
    private let children = Mutex<[[ExactText]: Child]>([:])

    init(_ descriptor: FamilyDescriptor, in registry: Registry.Shared) {
        self.descriptor = descriptor
        self.registry = registry
    }

    /// Returns the instrument with these label values, and makes it on first use. Returns nil if the registry is full,
    /// which the registry counts.
    ///
    /// - Parameters:
    ///   - values: in the order of the declared label names; each is cut to `Registry.Limits.labelValue_bytes`.
    ///   - created: the time at which a series that is made now began, if that is not the time of the registry's clock.
    package func series(_ values: [String] = [], created: Timestamp? = nil) -> I? {
        precondition(values.count == descriptor.labelNames.count, "one value for each label")
        let values = values.map { registry.bounded($0) }
        let key = values.map { ExactText($0) }
        return children.withLock { children in
            if let child = children[key] { return child.instrument }
            guard let slot = registry.admit(descriptor) else { return nil }
            let instrument = I(
                descriptor.kind, created: created ?? registry.clock?(),
                mark: ChangeMark(slot: slot, in: registry.changes))
            let series = Series(family: descriptor, labelValues: values, instrument: instrument.erased, slot: slot)
            children[key] = Child(instrument: instrument, series: series)
            registry.log(added: series)
            return instrument
        }
    }

    /// Returns the instrument with these label values; nil if there is none.
    package func find(_ values: [String]) -> I? {
        let key = values.map { ExactText(registry.bounded($0)) }
        return children.withLock { $0[key]?.instrument }
    }

    /// Ends the series with these label values; a later one with the same values starts from zero. Does nothing if
    /// there is none.
    package func end(_ values: [String]) {
        let key = values.map { ExactText(registry.bounded($0)) }
        children.withLock { children in
            guard let child = children.removeValue(forKey: key) else { return }
            registry.release(descriptor, slot: child.series.slot)
            registry.log(ended: child.series)
        }
    }

    /// Ends every series for whose label values `matches` returns true.
    package func end(where matches: ([String]) -> Bool) {
        for values in all().map(\.labelValues) where matches(values) { end(values) }
    }

    /// Ends every series.
    func endAll() { end(where: { _ in true }) }

    /// All series, in no particular order.
    func all() -> [Series] {
        children.withLock { children in children.values.map(\.series) }
    }
}

/// A family without the type of its instruments, so that one list holds all families.
protocol AnyFamily: Sendable {
    var descriptor: FamilyDescriptor { get }
    func all() -> [Series]
    func endAll()
}

extension Family: AnyFamily {}
