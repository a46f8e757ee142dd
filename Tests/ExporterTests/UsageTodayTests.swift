import Status
import Testing
import Wire

@testable import Exporter

/// The connection time of today, from counters that know no days.
@Suite struct UsageTodayTests {
    private static let morning = Timestamp(seconds: 1_764_000_000 / 86_400 * 86_400 + 30_000)

    private func minutes(_ today: UsageToday, _ kinds: [String] = ["standard", "agent"]) -> [Double] {
        var usage = UsageStatus()
        usage.connections = kinds.map {
            var connections = ConnectionsStatus()
            connections.kind = $0
            return connections
        }
        today.fill(&usage)
        return [usage.connection_minutes] + usage.connections.map(\.minutes)
    }

    @Test func `what was counted before the start is not of today`() {
        var today = UsageToday()
        #expect(today.since == nil)
        today.note(["standard": 1_000_000], at: Self.morning)
        #expect(today.since == Self.morning && minutes(today) == [0, 0, 0])
        today.note(["standard": 1_000_120, "agent": 60], at: Self.morning + .seconds(5))
        #expect(minutes(today) == [3, 2, 1])
    }

    @Test func `a series that ends takes nothing away`() {
        var today = UsageToday()
        today.note(["standard": 600], at: Self.morning)
        today.note(["standard": 720], at: Self.morning + .seconds(5))
        today.note(["standard": 60], at: Self.morning + .seconds(10))
        #expect(minutes(today, ["standard"]) == [2, 2])
        today.note(["standard": 180], at: Self.morning + .seconds(15))
        #expect(minutes(today, ["standard"]) == [4, 4])
    }

    @Test func `each day begins at midnight, and a clock that is set back begins none`() {
        var today = UsageToday()
        today.note(["standard": 0], at: Self.morning)
        today.note(["standard": 600], at: Self.morning + .seconds(10))
        let midnight = Timestamp(seconds: Self.morning.milliseconds / 86_400_000 * 86_400 + 86_400)
        today.note(["standard": 660], at: midnight + .seconds(2))
        #expect(today.since == midnight && minutes(today, ["standard"]) == [1, 1])
        today.note(["standard": 720], at: Self.morning)
        #expect(today.since == midnight && minutes(today, ["standard"]) == [2, 2])
    }
}
