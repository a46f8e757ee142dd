import Synchronization
package import Wire

/// All metrics of the process, or those of a part that begins and ends while the process runs. It records which series
/// come and go for the reader that pushes them.
///
/// Families are declared at start; series come and go while the program runs. Any thread may use it. Reading all series
/// is `O(series)` and never blocks an update for longer than the reading of one series takes.
package final class Registry: Sendable {
    /// The bounds of label values, which strangers choose.
    package enum Limits {
        /// The longest label value in UTF-8 bytes: half of Mimir's limit, so that an escaped value still fits.
        /// https://grafana.com/docs/mimir/latest/configure/configuration-parameters/
        package static let labelValue_bytes = 1_024
    }

    private let shared: Shared
    private let families = Mutex<[any AnyFamily]>([])
    private let collectors = Mutex<[@Sendable () -> Void]>([])
    /// The parts that have begun and not ended.
    private let parts = Mutex<[Registry]>([])
    /// The registry that this one is a part of.
    private let whole: Registry?
    /// The families of this part that are in the readings of the whole.
    private let lent = Mutex<[any AnyFamily]>([])

    /// - Parameters:
    ///   - maxSeries: the most time series at one time, where each bucket, sum and count of a histogram is one; further
    ///     series are refused.
    ///   - onFirstRefusal: called once per family with its name, on the thread whose series was refused.
    ///   - clock: gives the time of a new series for OpenMetrics' `_created`; without a clock there is none.
    package init(
        maxSeries: Int, onFirstRefusal: @escaping @Sendable (String) -> Void = { _ in },
        clock: (@Sendable () -> Timestamp)? = nil
    ) {
        whole = nil
        shared = Shared(maxSeries: maxSeries, onFirstRefusal: onFirstRefusal, clock: clock)
        declareFigures()
    }

    /// Begins a part of the process, with as much room for series as `whole`.
    ///
    /// Readings of the part (`takeChanges`) have LiveKit's metrics, `lk_*`. What is declared in it about lkpush itself is
    /// in the readings of the whole. A snapshot of the whole has all of it, until `end(part:)`.
    package init(partOf whole: Registry) {
        self.whole = whole
        shared = Shared(of: whole.shared)
        whole.parts.withLock { $0.append(self) }
    }

    /// Ends every series that was declared in a part, and forgets the part.
    package func end(part: Registry) {
        parts.withLock { $0.removeAll { $0 === part } }
        for family in part.all + part.lent.withLock({ $0 }) { family.endAll() }
    }

    private func declareFigures() {
        let series = gauge("lkpush_series", "Time series held now.")
        let refused = counter(
            Shared.refusals, "Series refused because MAX_SERIES was reached.", labels: ["family"])
        let cut = counter("lkpush_label_values_cut_total", "Label values cut because they were too long.")
        let seriesGauge = series.series()
        let cutCounter = cut.series()
        onRead { [weak self] in
            guard let self else { return }
            let all = ([shared] + parts.withLock { $0.map(\.shared) }).map(\.figures)
            seriesGauge?.set(all.reduce(0) { $0 + $1.series })
            cutCounter?.raise(to: all.reduce(0) { $0 + $1.valuesCut })
            let refusals = all.reduce(into: [String: Int]()) { $0.merge($1.refused, uniquingKeysWith: +) }
            for (family, total) in refusals {
                refused.series([family])?.raise(to: total)
            }
        }
    }

    // MARK: Declaring

    /// Declares a counter. Its name ends with `_total`.
    package func counter(
        _ name: String, _ help: String, labels: [String] = [], cadence: FamilyDescriptor.Cadence = .onChange
    ) -> Family<Counter> {
        declare(.init(name: name, help: help, kind: .counter, labelNames: labels, cadence: cadence))
    }

    /// Declares a gauge.
    package func gauge(
        _ name: String, _ help: String, labels: [String] = [], cadence: FamilyDescriptor.Cadence = .idleGrid
    ) -> Family<Gauge> {
        declare(.init(name: name, help: help, kind: .gauge, labelNames: labels, cadence: cadence))
    }

    /// Declares a histogram with ascending upper bounds, without `+Inf`.
    package func histogram(
        _ name: String, _ help: String, labels: [String] = [], bounds: [Double]
    ) -> Family<Histogram> {
        declare(
            .init(
                name: name, help: help, kind: .histogram(bounds: bounds), labelNames: labels, cadence: .onChange))
    }

    private func declare<I: Instrument>(_ descriptor: FamilyDescriptor) -> Family<I> {
        guard let whole, !descriptor.name.hasPrefix("lk_") else { return declare(descriptor, shared, families) }
        // The one series of such a metric can be counted by both.
        if descriptor.labelNames.isEmpty,
            let family = whole.families.withLock({ $0.first { $0.descriptor == descriptor } }) as? Family<I>
        {
            return family
        }
        return declare(descriptor, whole.shared, lent)
    }

    private func declare<I: Instrument>(
        _ descriptor: FamilyDescriptor, _ shared: Shared, _ families: borrowing Mutex<[any AnyFamily]>
    ) -> Family<I> {
        let family = Family<I>(descriptor, in: shared)
        families.withLock { families in
            precondition(!families.contains { $0.descriptor.stem == descriptor.stem }, "a metric is declared once")
            families.append(family)
        }
        return family
    }

    /// The families of this registry and of its parts. Two of them have one name where the whole and a part have declared
    /// it.
    private var all: [any AnyFamily] {
        parts.withLock { $0 }.reduce(families.withLock { $0 }) { $0 + $1.all + $1.lent.withLock { $0 } }
    }

    /// The families whose series take their room here: all but those that a part shows itself.
    private var housed: [any AnyFamily] {
        parts.withLock { $0 }.reduce(families.withLock { $0 }) { $0 + $1.lent.withLock { $0 } }
    }

    /// Adds a closure that runs before each reading, for instruments that mirror a value kept elsewhere.
    package func onRead(_ body: @escaping @Sendable () -> Void) {
        collectors.withLock { $0.append(body) }
    }

    // MARK: Reading

    /// Runs the closures of `onRead`. Call it once before the instruments are read.
    package func collect() {
        for body in collectors.withLock({ $0 }) { body() }
        for part in parts.withLock({ $0 }) { part.collect() }
    }

    /// The descriptors of all families, sorted by name.
    package var descriptors: [FamilyDescriptor] { groups.map(\.family) }

    /// The series of one family, in no order; empty if there is no such family.
    package func series(of name: String) -> [Series] {
        all.filter { $0.descriptor.name == name }.flatMap { $0.all() }
    }

    /// Returns all families that have series: families sorted by name, series by label values.
    package func snapshot() -> [(family: FamilyDescriptor, series: [Series])] {
        groups
            .map { group in
                (group.family, Self.sorted(group.members.flatMap { $0.all() }))
            }
            .filter { !$0.1.isEmpty }
    }

    /// The families by name, sorted.
    private var groups: [(family: FamilyDescriptor, members: [any AnyFamily])] {
        var groups: [(family: FamilyDescriptor, members: [any AnyFamily])] = []
        for family in all.sorted(by: { $0.descriptor.name < $1.descriptor.name }) {
            if groups.last?.family.name == family.descriptor.name {
                groups[groups.count - 1].members.append(family)
            } else {
                groups.append((family.descriptor, [family]))
            }
        }
        return groups
    }

    /// Starts to record which series come and go, for one reader that calls `takeChanges` regularly.
    /// The series that exist already count as added.
    package func startRecordingChanges() {
        // The log starts before the existing series are added, so that a series that comes or goes meanwhile is in it
        // once.
        shared.startLog()
        shared.changes.start()
        let families = housed.sorted { $0.descriptor.name < $1.descriptor.name }
        shared.log(existing: families.flatMap { Self.sorted($0.all()) })
    }

    private static func sorted(_ series: [Series]) -> [Series] {
        series.sorted { $0.labelValues.lexicographicallyPrecedes($1.labelValues) }
    }

    /// Returns the series that came and went since the last call, each list in order. A series that did both is in
    /// neither list.
    package func takeChanges() -> Changes { shared.takeLog() }

    /// Takes the slots of the series whose values may have changed since they were read, in no order. `slots` is
    /// replaced, and its memory reused.
    package func takeChangedSlots(into slots: inout [Int32]) { shared.changes.take(into: &slots) }

    /// The series that came and went between two calls of `takeChanges`.
    package struct Changes: Sendable {
        package var added: [Series] = []
        package var ended: [Series] = []

        package init() {}
    }
}

extension Registry {
    /// The state that families share with their registry: the number of series, and the log of changes.
    final class Shared: Sendable {
        private struct State {
            var series = 0
            var slots: Int32 = 0
            var freeSlots: [Int32] = []
            var refused: [String: Int] = [:]
            var valuesCut = 0
            var log: [ObjectIdentifier: (order: Int, series: Series, isEnd: Bool)]?
            var order = 0
        }

        /// The counter of refusals.
        static let refusals = "lkpush_series_refused_total"

        private let maxSeries: Int
        private let onFirstRefusal: @Sendable (String) -> Void
        let clock: (@Sendable () -> Timestamp)?
        let changes = ChangeLog()
        private let state = Mutex(State())

        init(
            maxSeries: Int, onFirstRefusal: @escaping @Sendable (String) -> Void,
            clock: (@Sendable () -> Timestamp)?
        ) {
            self.maxSeries = maxSeries
            self.onFirstRefusal = onFirstRefusal
            self.clock = clock
        }

        /// Makes an empty one with the same bounds.
        init(of other: Shared) {
            (maxSeries, onFirstRefusal, clock) = (other.maxSeries, other.onFirstRefusal, other.clock)
        }

        var figures: (series: Int, refused: [String: Int], valuesCut: Int) {
            state.withLock { ($0.series, $0.refused, $0.valuesCut) }
        }

        /// Returns the value, cut between two characters if it is too long.
        func bounded(_ value: String) -> String {
            guard value.utf8.count > Limits.labelValue_bytes else { return value }
            state.withLock { $0.valuesCut += 1 }
            return value.truncated(toBytes: Limits.labelValue_bytes)
        }

        /// Reserves room for one more child of a family. Returns its slot, or nil if there is no room.
        func admit(_ family: FamilyDescriptor) -> Int32? {
            let (slot, isFirst): (Int32?, Bool) = state.withLock { state in
                // The counter of refusals is never refused. It has a series for each family at most.
                if state.series + family.seriesPerChild <= maxSeries || family.name == Self.refusals {
                    state.series += family.seriesPerChild
                    if let slot = state.freeSlots.popLast() { return (slot, false) }
                    state.slots += 1
                    return (state.slots - 1, false)
                }
                state.refused[family.name, default: 0] += 1
                return (nil, state.refused[family.name] == 1)
            }
            if isFirst { onFirstRefusal(family.name) }
            return slot
        }

        func release(_ family: FamilyDescriptor, slot: Int32) {
            state.withLock { state in
                state.series -= family.seriesPerChild
                state.freeSlots.append(slot)
            }
        }

        func startLog() {
            state.withLock { if $0.log == nil { $0.log = [:] } }
        }

        /// Adds the series that existed before the log. A series that has ended meanwhile is in the log already.
        func log(existing: [Series]) {
            state.withLock { state in
                for series in existing where state.log?[ObjectIdentifier(series)] == nil {
                    state.order += 1
                    state.log?[ObjectIdentifier(series)] = (state.order, series, false)
                }
            }
        }

        func log(added series: Series) {
            state.withLock { state in
                guard state.log != nil else { return }
                state.order += 1
                state.log?[ObjectIdentifier(series)] = (state.order, series, false)
            }
        }

        func log(ended series: Series) {
            state.withLock { state in
                guard let log = state.log else { return }
                if let entry = log[ObjectIdentifier(series)], !entry.isEnd {
                    state.log?[ObjectIdentifier(series)] = nil
                } else {
                    state.order += 1
                    state.log?[ObjectIdentifier(series)] = (state.order, series, true)
                }
            }
        }

        func takeLog() -> Changes {
            let entries = state.withLock { state in
                guard let log = state.log, !log.isEmpty else {
                    return [] as [(order: Int, series: Series, isEnd: Bool)]
                }
                state.log?.removeAll(keepingCapacity: true)
                return log.values.sorted { $0.order < $1.order }
            }
            var changes = Changes()
            for entry in entries {
                if entry.isEnd { changes.ended.append(entry.series) } else { changes.added.append(entry.series) }
            }
            return changes
        }
    }
}

extension Counter {
    /// Sets the total where it is below this one.
    fileprivate func raise(to total: Int) { if Double(total) > value { set(total: Double(total)) } }
}
