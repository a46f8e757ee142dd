import Platform
import Status
import Wire

/// The figures of one moment, from which rates and plots are made.
struct StatusSample {
    let at: MonotonicTime
    let wall: Timestamp
    var events = 0.0
    var rejected = 0.0
    var lag = Observations()
    var commit = Observations()
    var cpu = 0.0
    var queue = 0.0
    var rowsWaiting = 0.0
    var rooms = 0.0
    var participants = 0.0
    var resident_bytes = 0.0
    /// The seconds of connections by kind.
    var connections: [String: Double] = [:]
    var destinations: [Destination] = []

    struct Destination {
        let name: String
        let accepted: Double
        let pending: Double
        let spool_bytes: Double?
    }

    init(_ metrics: MetricReading, _ destinations: [DestinationStatus], at: MonotonicTime, wall: Timestamp) {
        self.at = at
        self.wall = wall
        events = metrics.sum(.events) ?? 0
        rejected = metrics.sum(.rejected) ?? 0
        lag = metrics.observations(.lag)
        commit = metrics.observations(.journalCommit)
        cpu = metrics.sum(.cpu) ?? 0
        queue = metrics.sum(.queue) ?? 0
        rowsWaiting = metrics.sum(.rowsWaiting) ?? 0
        rooms = metrics.sum(.rooms) ?? 0
        participants = metrics.sum(.participants) ?? 0
        resident_bytes = metrics.sum(.resident) ?? 0
        connections = metrics.sums(.connectionSeconds, by: "kind")
        self.destinations = destinations.map {
            Destination(
                name: $0.name, accepted: Double($0.accepted), pending: Double($0.pending),
                spool_bytes: $0.spool.map { Double($0.size_bytes) })
        }
    }

    /// The increase of a counter in a second, since an earlier sample. Nil if no time has passed.
    func rate(of counter: (StatusSample) -> Double, since earlier: StatusSample) -> Double? {
        let took = at.since(earlier.at).inSeconds
        return took > 0 ? max(0, (counter(self) - counter(earlier)) / took) : nil
    }
}

/// A plot of the whole process: one row each.
struct StatusPlot: Sendable {
    let name: String
    /// The value at the end of a step. Nil if it is not known.
    let value: @Sendable (_ now: StatusSample, _ before: StatusSample) -> Double?

    static let all = [
        StatusPlot(name: "events_per_second") { $0.rate(of: \.events, since: $1) },
        StatusPlot(name: "delivery_lag_seconds") { $0.lag.mean(since: $1.lag) },
        StatusPlot(name: "rejected_per_second") { $0.rate(of: \.rejected, since: $1) },
        StatusPlot(name: "queue_events") { now, _ in now.queue },
        StatusPlot(name: "journal_commit_seconds") { $0.commit.mean(since: $1.commit) },
        StatusPlot(name: "rows_waiting") { now, _ in now.rowsWaiting },
        StatusPlot(name: "rooms") { now, _ in now.rooms },
        StatusPlot(name: "participants") { now, _ in now.participants },
        StatusPlot(name: "cpu_ratio") { $0.rate(of: \.cpu, since: $1) },
        StatusPlot(name: "resident_memory_bytes") { now, _ in now.resident_bytes },
    ]
}

/// A plot of a destination: one row each.
struct DestinationPlot: Sendable {
    let name: String
    /// The value at the end of a step that took so many seconds. Nil if it is not known.
    let value:
        @Sendable (_ now: StatusSample.Destination, _ before: StatusSample.Destination, _ took: Double) -> Double?

    static let all = [
        DestinationPlot(name: "samples_per_second") { now, before, took in
            took > 0 ? max(0, now.accepted - before.accepted) / took : nil
        },
        DestinationPlot(name: "samples_pending") { now, _, _ in now.pending },
        DestinationPlot(name: "spool_bytes") { now, _, _ in now.spool_bytes },
    ]
}
