import Platform
import RemoteWrite
import TestSupport
import Testing

/// Outages and ends of the process at any moment, with a spool, against a receiver that notes what must not happen.
///
/// `SPOOL_CHAOS_RUNS` is the number of runs for each kind of trouble, 5 by default. Every run has a seed of its own, which
/// a failure names; `SPOOL_CHAOS_SEED` is that of the first one.
@Suite struct SpoolChaosTests {
    private static func number(_ variable: String) -> UInt64? {
        ProcessEnvironment.current[variable].flatMap { UInt64($0) }
    }

    @Test(arguments: SpoolChaos.allCases)
    func `in trouble no series has two values for one time or another order, and what is missing is known`(
        _ chaos: SpoolChaos
    ) throws {
        let first = Self.number("SPOOL_CHAOS_SEED") ?? UInt64.random(in: 0...(.max >> 1))
        for number in 0..<(Self.number("SPOOL_CHAOS_RUNS") ?? 5) {
            let seed = first + number
            var run = try SpoolChaosRun(seed: seed, chaos)
            try run.tick()
            for round in 0..<(chaos == .tooLarge ? 12 : 60) { try run.step(mayKill: round > 4) }
            try run.end()
            check(run, "\(chaos), SPOOL_CHAOS_SEED=\(seed) SPOOL_CHAOS_RUNS=1")
        }
    }

    private func check(_ run: SpoolChaosRun, _ name: Comment) {
        let chaos = run.chaos
        #expect(run.delivery.isEmpty && !run.spool.exists, name)
        #expect(run.receiver.contradictions.isEmpty, name)
        #expect(run.receiver.reorderings.isEmpty, name)
        for (series, total) in run.increments {
            #expect(run.receiver.increase(series) <= total, "\(name) \(run.receiver.values(of: series))")
        }
        // A sample is missing if only the memory had it when the process ended, or if it was counted.
        let missing = run.missing
        if chaos.mayDrop || chaos.hasFullDisk {
            let known = run.killed + run.damaged + Int(run.lost)
            #expect(missing.count <= known, "\(name) \(missing.count) \(run.killed) \(run.damaged) \(run.lost)")
        } else {
            #expect(run.delivery.statistics.droppedInAll == 0, name)
            #expect(missing.count <= run.killed, "\(name) \(missing.count) \(run.killed)")
            #expect(run.missingReadings.count <= run.kills, "\(name) \(run.missingReadings) \(run.kills)")
        }
    }
}
