import Platform
import Testing

@Suite struct BackoffTests {
    private let tenth = Jitter(0.9...1.1)

    private func milliseconds(_ wait: Duration) -> Int { Int((wait / .milliseconds(1)).rounded()) }

    @Test func `the wait doubles with each failure up to the maximum`() {
        let backoff = Backoff(from: .milliseconds(200), to: .seconds(3), jitter: .none)
        let waits = (1...8).map { milliseconds(backoff.wait(afterFailures: $0, chance: 0.7)) }
        #expect(waits == [200, 400, 800, 1_600, 3_000, 3_000, 3_000, 3_000])
        #expect(backoff.wait(afterFailures: .max, chance: 0) == .seconds(3))
    }

    @Test func `before any failure it is the shortest wait`() {
        let backoff = Backoff(from: .milliseconds(200), to: .seconds(3), jitter: .none)
        #expect(backoff.wait(afterFailures: 0, chance: 0) == .milliseconds(200))
    }

    @Test func `chance spreads the wait over the jitter's range`() {
        let backoff = Backoff(from: .seconds(1), to: .seconds(60), jitter: tenth)
        for (chance, expected) in zip([0.0, 0.25, 0.5, 1.0], [1_800, 1_900, 2_000, 2_200]) {
            #expect(milliseconds(backoff.wait(afterFailures: 2, chance: chance)) == expected)
        }
    }

    @Test func `at the maximum, jitter only shortens and still spreads`() {
        let backoff = Backoff(from: .seconds(1), to: .seconds(10), jitter: tenth)
        for (chance, expected) in zip([0.0, 0.5, 1.0], [9_000, 9_500, 10_000]) {
            #expect(milliseconds(backoff.wait(afterFailures: 20, chance: chance)) == expected)
        }
        // Just below the maximum, jitter may only lengthen the wait up to it.
        let near = Backoff(from: .milliseconds(9_600), to: .seconds(10), jitter: tenth)
        #expect(milliseconds(near.wait(afterFailures: 1, chance: 1)) == 10_000)
    }

    @Test func `where jitter may exceed the maximum, it spreads to both sides there`() {
        let backoff = Backoff(from: .seconds(1), to: .seconds(10), jitter: tenth, mayExceedMaximum: true)
        for (chance, expected) in zip([0.0, 0.5, 1.0], [9_000, 10_000, 11_000]) {
            #expect(milliseconds(backoff.wait(afterFailures: 20, chance: chance)) == expected)
        }
    }

    @Test(arguments: 0..<100 as Range<UInt64>)
    func `no wait leaves its bounds, whatever they are`(_ seed: UInt64) {
        var random = SplitMix(seed: seed)
        let minimum = Duration.milliseconds(.random(in: 1...5_000, using: &random))
        let maximum = Duration.milliseconds(.random(in: 1...50_000, using: &random))
        let backoff = Backoff(from: minimum, to: maximum, jitter: Jitter(0.5...1.5))
        for failures in 1...30 {
            let wait = backoff.wait(afterFailures: failures, chance: .random(in: 0...1, using: &random))
            // Floating-point numbers are not exact.
            #expect(wait <= maximum + .microseconds(1))
            #expect(wait >= min(minimum, maximum) * 0.499)
        }
    }

    @Test func `an interval is spread too`() {
        for (chance, seconds) in zip([0.0, 0.5, 1.0], [270, 300, 330]) {
            #expect(milliseconds(tenth.spread(.seconds(300), chance: chance)) == seconds * 1_000)
        }
        #expect(Jitter.none.spread(.seconds(7), chance: 0.3) == .seconds(7))
    }
}
