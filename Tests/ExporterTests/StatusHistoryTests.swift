import Metrics
import Platform
import Status
import TestSupport
import Testing
import Wire

@testable import Exporter

/// The last 15 minutes, in samples that are 5 s apart.
@Suite struct StatusHistoryTests {
    private static let start = MonotonicTime(nanoseconds: 1_000_000_000_000)
    private static let wall = Timestamp(seconds: 1_764_000_000)

    private func sample(
        at seconds: Double, events: Double = 0, destinations: [(name: String, accepted: Double)] = []
    ) -> StatusSample {
        let age = Duration.milliseconds(Int64(seconds * 1_000))
        var sample = StatusSample(
            MetricReading(Registry(maxSeries: 100)), [], at: Self.start + age, wall: Self.wall + age)
        sample.events = events
        sample.destinations = destinations.map {
            .init(name: $0.name, accepted: $0.accepted, pending: 7, spool_bytes: nil)
        }
        return sample
    }

    private func points(_ name: String, _ history: StatusHistory) -> [Double?] {
        history.status.plots.first { $0.name == name }?.points ?? []
    }

    @Test func `a point is what a counter grew by in a second`() {
        var history = StatusHistory()
        history.take(sample(at: 0, events: 100))
        #expect(points("events_per_second", history) == [])
        history.take(sample(at: 5, events: 150))
        history.take(sample(at: 10, events: 150))
        // A counter that goes back begins anew.
        history.take(sample(at: 15, events: 3))
        #expect(points("events_per_second", history) == [10, 0, 0])
        #expect(history.status.end == Self.wall + .seconds(15))
        #expect(history.status.step == 5)
    }

    @Test func `plots are 15 minutes long, and equally long`() {
        var history = StatusHistory()
        for index in 0..<500 {
            let name = index < 490 ? "a" : "b"
            history.take(sample(at: Double(index) * 5, events: Double(index), destinations: [(name, 0)]))
        }
        for plot in history.status.plots + history.plots(of: "b") { #expect(plot.points.count == 180, "\(plot.name)") }
        #expect(history.plots(of: "b")[0].points.suffix(11).prefix(2) == [nil, nil])
        #expect(history.plots(of: "b")[1].points.last == 7)
    }

    @Test func `time in which no sample was taken is a gap`() {
        var history = StatusHistory()
        history.take(sample(at: 0))
        history.take(sample(at: 5, events: 5))
        history.take(sample(at: 30, events: 30))
        #expect(points("events_per_second", history) == [1, nil, nil, nil, nil, 1])
        history.take(sample(at: 30_000, events: 31))
        #expect(points("events_per_second", history).count == 180)
    }

    @Test func `a rate is taken since the newest sample that is old enough`() throws {
        var history = StatusHistory()
        #expect(history.sample(before: Self.start, by: .seconds(15)) == nil)
        for index in 0..<20 { history.take(sample(at: Double(index) * 5, events: Double(index))) }
        let now = Self.start + .seconds(97)
        #expect(history.sample(before: now, by: .seconds(15))?.events == 16)
        #expect(history.sample(before: now, by: .seconds(600))?.events == 7)
    }
}
