import Platform
import RemoteWrite
import Wire

/// A journal in memory that calls closures in each commit.
final class MemoryJournal: ReadingJournal {
    struct Commit: Sendable, Equatable {
        let at: Timestamp
        let destination: String
        let began: [SeriesKey]
        let ended: [SeriesKey]
    }

    private struct State {
        var newest: [String: Timestamp] = [:]
        var labels = ""
        var series: Set<ShippedSeries> = []
        var commits: [Commit] = []
    }

    private let monitor = Monitor(State())
    private let outcome = Monitor(ReadingOutcome.maySend)
    private let during: @Sendable (Timestamp) -> Void
    private let before: @Sendable (String) -> Void

    /// - Parameter before: is called with the name of the destination, on its thread.
    init(
        during: @escaping @Sendable (Timestamp) -> Void = { _ in },
        before: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.before = before
        self.during = during
    }

    func commit(
        reading at: Timestamp, destination: String, labels: String, began: [SeriesKey], ended: [SeriesKey]
    ) -> ReadingOutcome {
        before(destination)
        during(at)
        monitor.change { state in
            state.newest[destination] = at
            if labels != state.labels { state.series = [] }
            state.labels = labels
            state.series.subtract(ended.map { ShippedSeries(destination: destination, key: $0) })
            state.series.formUnion(began.map { ShippedSeries(destination: destination, key: $0) })
            state.commits.append(Commit(at: at, destination: destination, began: began, ended: ended))
        }
        return outcome.withLock { $0 }
    }

    /// Sets the outcome of commits from now on.
    func answer(_ new: ReadingOutcome) { outcome.change { $0 = new } }

    /// What a process would get that starts now.
    var states: ShippedStates {
        monitor.withLock {
            ShippedStates(lastReading: $0.newest.values.max(), labels: $0.labels, series: Array($0.series))
        }
    }

    /// The part of it for the default destination.
    var state: ShippedState { states[ShippedSeries.defaultDestination] }

    var commits: [Commit] { monitor.withLock { $0.commits } }

    /// True if the journal believes that the receiver of the default destination holds a series of this family.
    func holds(_ family: String) -> Bool { state.series.contains { $0.family == family } }
}
