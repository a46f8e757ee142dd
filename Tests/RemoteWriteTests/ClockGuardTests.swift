import Platform
import RemoteWrite
import Testing
import Wire

@Suite struct ClockGuardTests {
    /// Asks with both clocks in seconds.
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

    // MARK: The last reading of an earlier process

    @Test func `the first reading comes after the last one of the process before`() {
        var clock = ClockGuard(after: Timestamp(seconds: 1_000))
        #expect(check(&clock, wall: 900, monotonic: 0) == .wentBack)
        #expect(check(&clock, wall: 1_000, monotonic: 100) == .wentBack)
        #expect(check(&clock, wall: 1_001, monotonic: 101) == .good)
        #expect(check(&clock, wall: 1_016, monotonic: 116) == .good)
    }

    @Test func `a process that was away for a year goes on`() {
        var clock = ClockGuard(after: Timestamp(seconds: 1_000))
        #expect(check(&clock, wall: 31_000_000, monotonic: 0) == .good)
    }

    @Test func `a last reading that lies years ahead is waited for ten minutes`() {
        var clock = ClockGuard(after: Timestamp(seconds: 100_000_000))
        #expect(check(&clock, wall: 1_000, monotonic: 0) == .wentBack)
        #expect(check(&clock, wall: 1_599, monotonic: 599) == .wentBack)
        #expect(check(&clock, wall: 1_600, monotonic: 600) == .setBack)
        #expect(check(&clock, wall: 1_615, monotonic: 615) == .good)
        #expect(check(&clock, wall: 1_600, monotonic: 630) == .wentBack)
    }

    @Test func `a clock that is set while it is waited for goes on at once`() {
        var clock = ClockGuard(after: Timestamp(seconds: 100_000_000))
        #expect(check(&clock, wall: 0, monotonic: 0) == .wentBack)
        #expect(check(&clock, wall: 100_000_020, monotonic: 15) == .good)
        #expect(check(&clock, wall: 100_000_035, monotonic: 30) == .good)
    }

    @Test func `a last reading that a receiver may have taken is waited for until it is past`() {
        var clock = ClockGuard(after: Timestamp(seconds: 1_600))
        #expect(check(&clock, wall: 1_000, monotonic: 0) == .wentBack)
        #expect(check(&clock, wall: 1_000, monotonic: 10_000) == .wentBack)
        #expect(check(&clock, wall: 1_601, monotonic: 10_601) == .good)
    }

    // MARK: A clock that was ahead and is set right

    @Test func `where nothing was accepted, going back is believed at once`() {
        var clock = ClockGuard()
        #expect(check(&clock, wall: 300_000, monotonic: 0) == .good)
        #expect(check(&clock, wall: 300_015, monotonic: 15) == .good)
        #expect(check(&clock, wall: 1_030, monotonic: 30) == .setBack)
        #expect(check(&clock, wall: 1_045, monotonic: 45) == .good)
    }

    @Test func `what was accepted before the clock jumped does not hold it up`() {
        var clock = ClockGuard()
        #expect(check(&clock, wall: 1_000, monotonic: 0) == .good)
        clock.noteAccepted(until: Timestamp(seconds: 1_000))
        #expect(check(&clock, wall: 300_015, monotonic: 15) == .jumpedAhead)
        #expect(check(&clock, wall: 300_615, monotonic: 615) == .good)
        #expect(check(&clock, wall: 1_700, monotonic: 700) == .setBack)
        #expect(check(&clock, wall: 1_715, monotonic: 715) == .good)
    }

    @Test func `where samples from the future were accepted, going back is believed after ten minutes`() {
        var clock = ClockGuard()
        #expect(check(&clock, wall: 300_000, monotonic: 0) == .good)
        clock.noteAccepted(until: Timestamp(seconds: 300_000))
        #expect(check(&clock, wall: 1_015, monotonic: 15) == .wentBack)
        #expect(check(&clock, wall: 1_614, monotonic: 614) == .wentBack)
        #expect(check(&clock, wall: 1_615, monotonic: 615) == .setBack)
        #expect(check(&clock, wall: 1_630, monotonic: 630) == .good)
        // From now on only what is accepted with the right time counts.
        #expect(check(&clock, wall: 300_700, monotonic: 645) == .jumpedAhead)
    }

    @Test func `a short step back is waited for, whether anything was accepted or not`() {
        for isAccepted in [false, true] {
            var clock = ClockGuard()
            #expect(check(&clock, wall: 10_000, monotonic: 0) == .good)
            if isAccepted { clock.noteAccepted(until: Timestamp(seconds: 10_000)) }
            #expect(check(&clock, wall: 9_400, monotonic: 15) == .wentBack)
            #expect(check(&clock, wall: 9_999, monotonic: 614) == .wentBack)
            #expect(check(&clock, wall: 10_001, monotonic: 616) == .good)
        }
    }

    @Test func `a clock that goes back and forth is not believed for its time behind`() {
        var clock = ClockGuard()
        #expect(check(&clock, wall: 300_000, monotonic: 0) == .good)
        clock.noteAccepted(until: Timestamp(seconds: 300_000))
        #expect(check(&clock, wall: 1_000, monotonic: 15) == .wentBack)
        #expect(check(&clock, wall: 300_030, monotonic: 30) == .good)
        #expect(check(&clock, wall: 1_600, monotonic: 620) == .wentBack)
        #expect(check(&clock, wall: 2_200, monotonic: 1_219) == .wentBack)
        #expect(check(&clock, wall: 2_201, monotonic: 1_220) == .setBack)
    }

    @Test(arguments: [1, 599, 600, 602, 1_100, 86_400] as [Int64])
    func `a step back of any length costs at most ten minutes`(_ step: Int64) {
        for isAccepted in [false, true] {
            var clock = ClockGuard()
            #expect(check(&clock, wall: 1_000_000, monotonic: 0) == .good)
            if isAccepted { clock.noteAccepted(until: Timestamp(seconds: 1_000_000)) }
            var (verdict, monotonic) = (ClockGuard.Verdict.wentBack, Int64(0))
            while verdict == .wentBack, monotonic < 10_000 {
                monotonic += 1
                verdict = check(&clock, wall: 1_000_000 - step + monotonic, monotonic: monotonic)
            }
            let isLong = step > 600
            // A second after it has begun, the step is a second shorter.
            #expect(monotonic == (isLong ? isAccepted ? 601 : 1 : step + 1), "\(step), accepted: \(isAccepted)")
            #expect(verdict == (isLong ? .setBack : .good), "\(step), accepted: \(isAccepted)")
        }
    }

    @Test func `a step to the other side begins a new wait`() {
        var clock = ClockGuard()
        #expect(check(&clock, wall: 10_000, monotonic: 0) == .good)
        clock.noteAccepted(until: Timestamp(seconds: 10_000))
        #expect(check(&clock, wall: 15, monotonic: 15) == .wentBack)
        #expect(check(&clock, wall: 99_000, monotonic: 300) == .jumpedAhead)
        #expect(check(&clock, wall: 99_599, monotonic: 899) == .jumpedAhead)
        #expect(check(&clock, wall: 800, monotonic: 900) == .wentBack)
        #expect(check(&clock, wall: 99_900, monotonic: 1_200) == .jumpedAhead)
        #expect(check(&clock, wall: 100_500, monotonic: 1_800) == .good)
    }
}
