import Platform
import RemoteWrite
import Wire

/// A journal that keeps what it is told in memory, with something that happens in each commit.
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

    /// What may be done with readings from now on.
    func answer(_ new: ReadingOutcome) { outcome.change { $0 = new } }

    /// What a process that starts now is given.
    var state: ShippedState {
        monitor.withLock { ShippedState(lastReading: $0.lastReading, labels: $0.labels, series: Array($0.series)) }
    }

    var commits: [Commit] { monitor.withLock { $0.commits } }

    /// Whether the receiver is thought to hold a series of this family.
    func holds(_ family: String) -> Bool { state.series.contains { $0.family == family } }
}
