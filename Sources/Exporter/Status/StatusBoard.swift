import HTTPServing
import Platform
package import Status
import Synchronization
import Wire

/// The status of a running lkpush, for the status page and `lkpush top`: it keeps the history, knows since when there is
/// which problem, and serves copies.
///
/// Any thread may call it. A copy is made at most twice a second, however many ask. Making one costs a few microseconds
/// for each organization.
package final class StatusBoard: Sendable {
    enum Limits {
        /// The organizations in a document. Few have more, and a page of more helps nobody.
        static let organizations = 500
        /// The period over which rates of webhooks and of the processor are taken.
        static let rate = Duration.seconds(15)
        /// The period for samples, which leave in bursts, and for means.
        static let longRate = Duration.seconds(30)
        static let mean = Duration.seconds(60)
    }

    private struct State {
        var history = StatusHistory()
        var increases = LastIncreases()
        var differsSince: Timestamp?
        var today = UsageToday()
        var problems = ProblemTimes()
        var copy = ServedCopy()
    }

    private let source: StatusSource
    private let time: any TimeSource
    private let state = Mutex(State())

    init(_ source: StatusSource, time: any TimeSource) {
        self.source = source
        self.time = time
    }

    /// Takes the sample of the next point of the plots. Call it every `StatusHistory.Limits.step`.
    func sample() {
        // The document is made also while nobody looks at the page, so that it is known since when problems exist.
        state.withLock { state in state.history.take(document(&state).sample) }
    }

    /// The document as it is now.
    package var document: StatusDocument { state.withLock { document(&$0).document } }

    /// The answer of `/debug/status`: a copy that is at most half a second old.
    var response: Response {
        state.withLock { state in
            let now = time.monotonic()
            if let copy = state.copy.response(at: now) { return copy }
            let response = StatusRoutes.json(document(&state).document.json)
            return state.copy.keep(response, at: now)
        }
    }

    private func document(_ state: inout State) -> (document: StatusDocument, sample: StatusSample) {
        let (now, wall) = (time.monotonic(), time.now())
        let metrics = source.metrics()
        var document = source.document(metrics, at: wall, now)
        let sample = StatusSample(metrics, document.destinations, at: now, wall: wall)
        fill(&document, sample, state.history)
        document.intake.lastEvent = state.increases.note(.events, sample.events, at: wall)
        document.database.lastRowLost = state.increases.note(.rows, Double(document.database.rowsLost), at: wall)
        document.program.lastSeriesRefused = state.increases.note(
            .seriesRefused, Double(document.program.seriesRefused), at: wall)
        // Before lkpush is ready the counters may not be those of the restored state yet.
        if document.health.isReady || state.today.since != nil { state.today.note(sample.connections, at: wall) }
        if var usage = document.usage {
            state.today.fill(&usage)
            usage.lastRowLost = state.increases.note(.usageRowsLost, Double(usage.rowsLost), at: wall)
            document.usage = usage
        }
        if let lost = document.replicas?.spillLost {
            // Events that waited are read at the start, maybe before the first look.
            document.replicas?.lastSpillLoss = state.increases.note(.spillLost, Double(lost), from: 0, at: wall)
        }
        if document.reconciliation?.differs != true { state.differsSince = nil }
        if document.reconciliation?.differs == true, state.differsSince == nil { state.differsSince = wall }
        document.reconciliation?.differsSince = state.differsSince
        document.health.problems = state.problems.noted(HealthRules.problems(of: document), at: wall)
        document.health.state = HealthRules.state(of: document.health)
        return (document, sample)
    }

    /// Adds rates, means and plots.
    private func fill(_ document: inout StatusDocument, _ sample: StatusSample, _ history: StatusHistory) {
        document.history = history.status
        if let before = history.sample(before: sample.at, by: Limits.rate) {
            document.intake.eventsPerSecond = sample.rate(of: \.events, since: before)
            document.program.cpu = sample.rate(of: \.cpu, since: before)
        }
        if let before = history.sample(before: sample.at, by: Limits.mean) {
            document.intake.lag = sample.lag.mean(since: before.lag)
            document.journal?.commit = sample.commit.mean(since: before.commit)
        }
        let before = history.sample(before: sample.at, by: Limits.longRate)
        for index in document.destinations.indices {
            let name = document.destinations[index].name
            document.destinations[index].plots = history.plots(of: name)
            func accepted(_ sample: StatusSample) -> Double? {
                sample.destinations.first { $0.name == name }?.accepted
            }
            guard let before, let old = accepted(before), let new = accepted(sample) else { continue }
            let took = sample.at.since(before.at).inSeconds
            document.destinations[index].samplesPerSecond = took > 0 ? max(0, new - old) / took : nil
        }
    }
}
