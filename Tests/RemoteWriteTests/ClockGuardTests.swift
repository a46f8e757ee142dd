import Platform
import RemoteWrite
import Testing
import Wire

@Suite struct ClockGuardTests {
    /// Both clocks in seconds.
    private func check(_ guardian: inout ClockGuard, wall: Int64, monotonic: Int64) -> ClockGuard.Verdict {
        guardian.check(Timestamp(seconds: wall), MonotonicTime(nanoseconds: monotonic * 1_000_000_000))
    }

    @Test func `clocks that agree are good, also after a long pause`() {
        var clock = ClockGuard()
        #expect(check(&clock, wall: 1_000, monotonic: 0) == .good)
        #expect(check(&clock, wall: 1_015, monotonic: 15) == .good)
        #expect(check(&clock, wall: 90_000, monotonic: 89_000) == .good)
    }

    @Test func `a clock that went back is good again when it has caught up`() {
        var clock = ClockGuard()
        #expect(check(&clock, wall: 1_000, monotonic: 0) == .good)
        #expect(check(&clock, wall: 1_000, monotonic: 15) == .wentBack)
        #expect(check(&clock, wall: 900, monotonic: 30) == .wentBack)
        #expect(check(&clock, wall: 1_001, monotonic: 131) == .good)
    }

    @Test func `a jump ahead is held for ten minutes, then believed`() {
        var clock = ClockGuard()
        #expect(check(&clock, wall: 1_000, monotonic: 0) == .good)
        #expect(check(&clock, wall: 11_015, monotonic: 15) == .jumpedAhead)
        #expect(check(&clock, wall: 11_600, monotonic: 600) == .jumpedAhead)
        #expect(check(&clock, wall: 11_615, monotonic: 615) == .good)
        #expect(check(&clock, wall: 11_630, monotonic: 630) == .good)
    }

    @Test func `a jump that is taken back leaves no trace`() {
        var clock = ClockGuard()
        #expect(check(&clock, wall: 1_000, monotonic: 0) == .good)
        #expect(check(&clock, wall: 99_000, monotonic: 15) == .jumpedAhead)
        #expect(check(&clock, wall: 1_030, monotonic: 30) == .good)
        #expect(check(&clock, wall: 99_000, monotonic: 45) == .jumpedAhead)
        #expect(check(&clock, wall: 99_500, monotonic: 600) == .jumpedAhead)
    }
}
