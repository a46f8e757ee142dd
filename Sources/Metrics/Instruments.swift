import Synchronization
package import Wire

/// The value of a series. Its family makes it, anyone may update it, and exposition and shipper read it.
package protocol Instrument: AnyObject, Sendable {
    init(_ kind: FamilyDescriptor.Kind, created: Timestamp?, mark: consuming ChangeMark)
    /// The time at which its series began; nil if nobody gave one.
    var created: Timestamp? { get }
    /// This instrument as a case of an enum, so that a reader can switch over its type.
    var erased: Series.AnyInstrument { get }
}

/// A number that only rises. An update costs one compare-and-exchange; whole numbers are exact up to 2^53.
package final class Counter: Instrument {
    private let bits = Atomic<Double>(0)
    private let mark: ChangeMark

    package let created: Timestamp?

    package init(_ kind: FamilyDescriptor.Kind, created: Timestamp?, mark: consuming ChangeMark) {
        self.created = created
        self.mark = mark
    }

    package var value: Double { bits.load(ordering: .sequentiallyConsistent) }
    package var erased: Series.AnyInstrument { .counter(self) }

    /// Reads the value for the one reader that takes `Registry.takeChanges`.
    package func readChange() -> Double {
        mark.clear()
        return value
    }

    /// Adds an amount, which must not be negative.
    package func increment(by amount: Double = 1) {
        precondition(amount >= 0, "a counter never falls")
        var current = bits.load(ordering: .relaxed)
        while true {
            let (done, seen) = bits.weakCompareExchange(
                expected: current, desired: current + amount, ordering: .sequentiallyConsistent)
            if done { return mark.note() }
            current = seen
        }
    }

    /// Sets the total to one that something else counts, such as the kernel, or that a snapshot kept.
    package func set(total: Double) {
        // Most of what mirrors another value has not changed since it was mirrored last.
        if bits.load(ordering: .relaxed).bitPattern == total.bitPattern { return }
        bits.store(total, ordering: .sequentiallyConsistent)
        mark.note()
    }
}

/// A number that goes up and down. An update costs one store.
package final class Gauge: Instrument {
    private let bits = Atomic<Double>(0)
    private let mark: ChangeMark

    package let created: Timestamp?

    package init(_ kind: FamilyDescriptor.Kind, created: Timestamp?, mark: consuming ChangeMark) {
        self.created = created
        self.mark = mark
    }

    package var value: Double { bits.load(ordering: .sequentiallyConsistent) }
    package var erased: Series.AnyInstrument { .gauge(self) }

    /// Reads the value for the one reader that takes `Registry.takeChanges`.
    package func readChange() -> Double {
        mark.clear()
        return value
    }

    /// Sets the value. It may be any number, also NaN.
    package func set(_ value: Double) {
        bits.store(value, ordering: .sequentiallyConsistent)
        mark.note()
    }
    package func set(_ value: Int) { set(Double(value)) }
}

/// Observations counted in buckets. A lock keeps buckets, sum and count consistent with each other.
package final class Histogram: Instrument {
    /// The content of the buckets. `counts` are per bucket and not cumulative; the last one is the bucket `+Inf`.
    package struct State: Sendable, Equatable {
        package var counts: [UInt64]
        package var sum: Double

        package init(counts: [UInt64], sum: Double) {
            self.counts = counts
            self.sum = sum
        }
    }

    /// The upper bounds, ascending, without `+Inf`.
    package let bounds: [Double]
    private let state: Mutex<State>
    private let mark: ChangeMark

    package let created: Timestamp?

    package init(_ kind: FamilyDescriptor.Kind, created: Timestamp?, mark: consuming ChangeMark) {
        self.mark = mark
        guard case .histogram(let bounds) = kind else { preconditionFailure("a histogram has bounds") }
        self.created = created
        self.bounds = bounds
        state = Mutex(State(counts: [UInt64](repeating: 0, count: bounds.count + 1), sum: 0))
    }

    package var erased: Series.AnyInstrument { .histogram(self) }

    /// Counts one observation. NaN is ignored.
    package func observe(_ value: Double) {
        guard !value.isNaN else { return }
        // A scan over ten bounds is as fast as a search. The bucket is the first one whose bound is not below the
        // value.
        var index = 0
        while index < bounds.count && value > bounds[index] { index += 1 }
        state.withLock { state in
            state.counts[index] += 1
            state.sum += value
            mark.note()
        }
    }

    /// A consistent copy of the state.
    package var current: State { state.withLock { $0 } }

    /// Sets the state to one that a snapshot kept.
    package func set(_ new: State) {
        precondition(new.counts.count == bounds.count + 1, "a histogram keeps its buckets")
        state.withLock { state in
            state = new
            mark.note()
        }
    }

    /// Passes the cumulative buckets (`+Inf` last), then sum and count to the closures, without allocating. They run
    /// under the lock and must not touch the histogram. It is for the one reader that takes `Registry.takeChanges`.
    package func readChange(bucket: (Int, Double) -> Void, total: (_ sum: Double, _ count: Double) -> Void) {
        mark.clear()
        state.withLock { state in
            var cumulative: UInt64 = 0
            for index in state.counts.indices {
                cumulative += state.counts[index]
                bucket(index, Double(cumulative))
            }
            total(state.sum, Double(cumulative))
        }
    }
}
