import Platform
import Status
import Wire

/// The last 15 minutes: plots on a grid, and samples of the last minute for rates. Times are parameters.
///
/// It takes some 1.5 KiB for each plot.
struct StatusHistory {
    enum Limits {
        /// The time between two points of a plot.
        static let step = Duration.seconds(5)
        /// The points of a plot: 15 minutes.
        static let points = 180
        /// A longer gap between two samples, in which the machine was suspended for example, shows as a gap.
        static let longestStep = Duration.seconds(8)
        /// The samples that are kept for rates: a minute, and one more.
        static let samples = 13
    }

    private var samples: [StatusSample] = []
    private var plots: [String: [Double?]] = [:]
    private var ofDestinations: [String: [String: [Double?]]] = [:]
    private var length = 0
    private var end = Timestamp(milliseconds: 0)

    /// Takes the sample of the next point.
    mutating func take(_ sample: StatusSample) {
        defer {
            samples.append(sample)
            if samples.count > Limits.samples { samples.removeFirst() }
        }
        guard let last = samples.last else { return }
        let took = sample.at.since(last.at)
        let missed = took > Limits.longestStep ? min(Limits.points, Int(took / Limits.step) - 1) : 0
        for _ in 0..<max(0, missed) { append(nil, last) }
        append(sample, last)
        end = sample.wall
    }

    private mutating func append(_ sample: StatusSample?, _ last: StatusSample) {
        length = min(length + 1, Limits.points)
        for plot in StatusPlot.all {
            Self.append(sample.flatMap { plot.value($0, last) }, to: &plots[plot.name, default: []], length)
        }
        let took = sample.map { $0.at.since(last.at).inSeconds } ?? 0
        for destination in (sample ?? last).destinations {
            let before = last.destinations.first { $0.name == destination.name }
            for plot in DestinationPlot.all {
                let value = sample == nil ? nil : before.flatMap { plot.value(destination, $0, took) }
                Self.append(value, to: &ofDestinations[destination.name, default: [:]][plot.name, default: []], length)
            }
        }
    }

    /// Every plot has as many points as the others.
    private static func append(_ value: Double?, to points: inout [Double?], _ length: Int) {
        while points.count < length - 1 { points.append(nil) }
        points.append(value)
        if points.count > length { points.removeFirst(points.count - length) }
    }

    // MARK: Reading

    /// The plots of the process.
    var status: HistoryStatus {
        var status = HistoryStatus()
        status.step = Limits.step.inSeconds
        status.end = end
        status.plots = StatusPlot.all.map { Self.plot($0.name, plots[$0.name]) }
        return status
    }

    /// The plots of a destination.
    func plots(of destination: String) -> [Plot] {
        DestinationPlot.all.map { Self.plot($0.name, ofDestinations[destination]?[$0.name]) }
    }

    private static func plot(_ name: String, _ points: [Double?]?) -> Plot {
        var plot = Plot()
        plot.name = name
        plot.points = points ?? []
        return plot
    }

    /// The newest sample that is at least so old. If all are younger, the oldest one; nil if there is none.
    func sample(before now: MonotonicTime, by age: Duration) -> StatusSample? {
        samples.last { now.since($0.at) >= age } ?? samples.first
    }
}
