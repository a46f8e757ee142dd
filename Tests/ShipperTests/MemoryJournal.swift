import Platform
import RemoteWrite
import Wire

/// A journal in memory that calls a closure in each commit.
final class MemoryJournal: ReadingJournal {
    struct Commit: Sendable, Equatable {
        let at: Timestamp
        let began: [SeriesKey]
        let ended: [SeriesKey]
    }

    private struct State {
        var lastReading: Timestamp?
        var labels = ""
        var series: Set<SeriesKey> = []
        var commits: [Commit] = []
    }

    private let monitor = Monitor(State())
    private let outcome = Monitor(ReadingOutcome.maySend)
    private let during: @Sendable (Timestamp) -> Void

    init(during: @escaping @Sendable (Timestamp) -> Void = { _ in }) { self.during = during }

    func commit(
        reading at: Timestamp, labels: String, began: [SeriesKey], ended: [SeriesKey]
    ) -> ReadingOutcome {
        during(at)
        monitor.change { state in
            state.lastReading = at
            state.labels = labels
            state.series.subtract(ended)
            state.series.formUnion(began)
            state.commits.append(Commit(at: at, began: began, ended: ended))
        }
        return outcome.withLock { $0 }
    }

    /// Sets the outcome of commits from now on.
    func answer(_ new: ReadingOutcome) { outcome.change { $0 = new } }

    /// The state that a process would get that starts now.
    var state: ShippedState {
        monitor.withLock { ShippedState(lastReading: $0.lastReading, labels: $0.labels, series: Array($0.series)) }
    }

    var commits: [Commit] { monitor.withLock { $0.commits } }

    /// True if the journal believes that the receiver holds a series of this family.
    func holds(_ family: String) -> Bool { state.series.contains { $0.family == family } }
}
