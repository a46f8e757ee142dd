import Metrics
import Platform
import RemoteWrite
import Synchronization
import Testing
import Wire

@testable import Shipper

/// The reader asks for what grows while time passes, shortly before each reading that has it.
@Suite struct ReaderRefreshTests {
    /// Clocks that a test sets.
    private final class SetTime: TimeSource {
        private let state = Mutex((wall: Timestamp(seconds: 1_000_000), monotonic: MonotonicTime(nanoseconds: 0)))

        func now() -> Timestamp { state.withLock { $0.wall } }
        func monotonic() -> MonotonicTime { state.withLock { $0.monotonic } }

        func elapse(until time: MonotonicTime) {
            state.withLock { state in
                state.wall = state.wall + time.since(state.monotonic)
                state.monotonic = time
            }
        }

        func setWall(by duration: Duration) { state.withLock { $0.wall = $0.wall + duration } }
    }

    /// A reader that a test drives: it notes what happens, with the seconds since the start.
    private final class DrivenReader {
        let time = SetTime()
        private let asked = Monitor(0)
        private var readings: Counter?
        private var worker: ReaderWorker?
        private let registry = Registry(maxSeries: 100)

        init(push: Duration, idle: Duration) {
            let metrics = ReaderMetrics(in: registry)
            let worker = ReaderWorker(
                registry, metrics, [], SeriesTable.Schedule(pushInterval: push, idleInterval: idle), after: nil,
                refresh: { [asked] in asked.change { $0 += 1 } }, Log(level: .error, format: .text, file: -1),
                time)
            worker.read()
            self.worker = worker
        }

        private var read: Double {
            guard
                case .counter(let counter)? = registry.series(of: "lkpush_remote_write_readings_total").first?
                    .instrument
            else { return 0 }
            return counter.value
        }

        /// Works until this second. Returns the questions (`?`) and readings.
        func work(until second: Double) -> [String] {
            guard let worker else { return [] }
            var steps: [String] = []
            let end = MonotonicTime(nanoseconds: Int64(second * 1e9))
            while worker.wakeAt <= end {
                time.elapse(until: worker.wakeAt)
                let before = (asked.withLock { $0 }, read)
                worker.workIfDue()
                let at = Double(time.monotonic().nanoseconds) / 1e9
                if asked.withLock({ $0 }) > before.0 { steps.append("?\(at)") }
                if read > before.1 { steps.append("\(at)") }
            }
            time.elapse(until: end)
            return steps
        }
    }

    @Test func `with equal intervals it asks a second before each reading`() {
        let reader = DrivenReader(push: .seconds(15), idle: .seconds(15))
        #expect(reader.work(until: 46) == ["?14.0", "15.0", "?29.0", "30.0", "?44.0", "45.0"])
    }

    @Test func `with short intervals it asks half of one before`() {
        let reader = DrivenReader(push: .milliseconds(500), idle: .milliseconds(500))
        #expect(reader.work(until: 1) == ["?0.25", "0.5", "?0.75", "1.0"])
    }

    @Test func `with a longer idle interval it asks for the readings on the grid only`() {
        let reader = DrivenReader(push: .seconds(15), idle: .seconds(60))
        #expect(
            reader.work(until: 120) == [
                "15.0", "30.0", "45.0", "?59.0", "60.0", "75.0", "90.0", "105.0", "?119.0", "120.0",
            ])
    }

    @Test func `the grid goes with the clock where that is set back`() {
        let reader = DrivenReader(push: .seconds(15), idle: .seconds(60))
        #expect(reader.work(until: 75) == ["15.0", "30.0", "45.0", "?59.0", "60.0", "75.0"])
        // The readings up to the last one of before are skipped, and so is their place on the grid.
        reader.time.setWall(by: .seconds(-40))
        #expect(
            reader.work(until: 200) == [
                "?89.0", "120.0", "135.0", "150.0", "?164.0", "165.0", "180.0", "195.0",
            ])
    }
}
