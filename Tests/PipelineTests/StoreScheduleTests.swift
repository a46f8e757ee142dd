import Platform
import Testing

@testable import Pipeline

@Suite struct StoreScheduleTests {
    private let start = MonotonicTime(nanoseconds: 1_000_000_000_000)

    private func schedule() -> StoreSchedule {
        StoreSchedule(minBackoff: .milliseconds(200), maxBackoff: .seconds(30), at: start)
    }

    @Test func `every job is due at the start`() {
        var schedule = schedule()
        var jobs: Set<StoreOperation> = []
        while let job = schedule.job(at: start) {
            jobs.insert(job)
            schedule.succeeded(job, at: start, interval: .seconds(300))
        }
        #expect(jobs == Set(StoreOperation.jobs))
        #expect(schedule.nextJobAt == start + .seconds(300))
    }

    @Test func `a job comes back within a tenth of its interval`() {
        for (chance, seconds) in zip([0.0, 0.5, 1.0], [270, 300, 330]) {
            var schedule = schedule()
            schedule.succeeded(.activity, at: start, interval: .seconds(300), chance: chance)
            let wait = schedule.notBefore(.activity).since(start)
            #expect(abs((wait - .seconds(seconds)) / .seconds(1)) < 0.001)
        }
    }

    @Test func `failures wait longer and longer up to the bound, a success forgets them`() {
        var schedule = schedule()
        var now = start
        var waits: [Int] = []
        for _ in 0..<10 {
            schedule.failed(.write, at: now, chance: 0.5)
            waits.append(Int((schedule.notBefore(.write).since(now) / .milliseconds(100)).rounded()))
            now = schedule.notBefore(.write)
        }
        #expect(waits == [2, 4, 8, 16, 32, 64, 128, 256, 300, 300])
        #expect(schedule.trouble(of: .write, at: now) == now.since(start))
        schedule.succeeded(.write, at: now)
        #expect(schedule.trouble(of: .write, at: now) == nil)
        #expect(schedule.isReady(.write, at: now))
        schedule.failed(.write, at: now, chance: 0)
        #expect(schedule.notBefore(.write).since(now) < .milliseconds(200))
    }

    @Test func `what needs a connection waits for it`() {
        var schedule = schedule()
        schedule.failed(.open, at: start, chance: 0.5)
        schedule.postpone(.lookup, behind: .open, at: start)
        #expect(schedule.notBefore(.lookup) == schedule.notBefore(.open))
        #expect(schedule.trouble(of: .lookup, at: start + .seconds(6)) == .seconds(6))
        schedule.hurry(.open, at: start)
        #expect(schedule.isReady(.open, at: start))
    }
}
