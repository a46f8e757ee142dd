import Glibc
import Platform
import TestSupport
import Testing

/// `kill -9` at random points, again and again: everything that was answered 200 is counted exactly once.
///
/// `KILL_RUNS` is the number of days, 20 by default. `KILL_SEED` repeats one run.
@Suite(.serialized) struct KillTests {
    private static func number(_ variable: String) -> UInt64? {
        ProcessEnvironment.current[variable].flatMap { UInt64($0) }
    }

    @Test(arguments: FaultDay.Source.allCases, ApplicationDatabase.Kind.allCases)
    func `a day without a death adds up, so that a difference is the fault of a death`(
        source: FaultDay.Source, database: ApplicationDatabase.Kind
    ) throws {
        let day = try FaultDay()
        let pass = KillPass(
            number: 0, plan: KillPlan(peaceful: day.posts.count), source: source, database: database, day: day,
            prometheus: try PrometheusServer())
        let result = pass.run()
        #expect(result.problems.isEmpty, "\(result.problems.prefix(20).joined(separator: "\n"))")
        #expect(result.figures.starts == 1 && result.figures.unanswered == 0 && result.figures.samples > 0)
    }

    @Test func `a day that dies again and again adds up everywhere, and nothing falls`() throws {
        let runs = Int(Self.number("KILL_RUNS") ?? 20)
        let first = Self.number("KILL_SEED") ?? UInt64.random(in: 0..<1 << 32)
        print("KILL_SEED=\(first) KILL_RUNS=\(runs)")
        let prometheus = try PrometheusServer()
        let day = try FaultDay()
        let passes = (0..<runs).map { number in
            // Each source of organizations is combined with each database in turn. The same seed gives the same
            // combination.
            let seed = first &+ UInt64(number)
            let sources = FaultDay.Source.allCases
            let databases = ApplicationDatabase.Kind.allCases
            return KillPass(
                number: number, plan: KillPlan(seed: seed, posts: day.posts.count),
                source: sources[Int(seed % UInt64(sources.count))],
                database: databases[Int(seed / UInt64(sources.count) % UInt64(databases.count))], day: day,
                prometheus: prometheus)
        }
        let results = Self.run(passes)

        for (pass, result) in zip(passes, results) where !result.problems.isEmpty {
            let lines = result.problems.prefix(15).joined(separator: "\n")
            Issue.record(
                """
                KILL_SEED=\(pass.plan.seed) KILL_RUNS=1: \(pass.source) over \(pass.database), \(pass.plan)
                \(lines)
                """)
        }
        try expectNoResets(prometheus)
        let figures = results.map(\.figures)
        let slowest = figures.map(\.took).max() ?? .zero
        print(
            """
            \(runs) days, \(figures.reduce(0) { $0 + $1.kills }) kills in \(figures.reduce(0) { $0 + $1.starts }) \
            lives, \(figures.reduce(0) { $0 + $1.unanswered }) attempts without an answer, \
            \(figures.reduce(0) { $0 + $1.duplicates }) duplicates, \(figures.reduce(0) { $0 + $1.samples }) samples \
            pushed; the longest took \(slowest)
            """)
        #expect(figures.allSatisfy { $0.kills >= 3 || $0.took == .zero })
    }

    /// Runs two passes at once, so that one works while the other one waits for a start.
    private static func run(_ passes: [KillPass]) -> [(figures: KillPass.Figures, problems: [String])] {
        let results = Monitor([Int: (figures: KillPass.Figures, problems: [String])]())
        let threads = (0..<2).map { half in
            NamedThread(name: "pass") {
                for (index, pass) in passes.enumerated() where index % 2 == half {
                    let result = pass.run()
                    results.change { $0[index] = result }
                }
            }
        }
        for thread in threads { thread.join() }
        let all = results.withLock { $0 }
        return passes.indices.map { all[$0] ?? (KillPass.Figures(), ["it did not run"]) }
    }

    /// Expects that Prometheus sees no reset, in any run of any pass.
    private func expectNoResets(_ prometheus: PrometheusServer) throws {
        let names = try prometheus.query("count by (__name__) ({__name__=~\"lk_.+_(total|count|bucket|sum)\"})")
        #expect(names.count > 10)
        for name in names.compactMap({ $0.labels["__name__"] }) {
            let hasNone = try prometheus.query("resets(\(name)[1d]) > 0").isEmpty
            #expect(hasNone, "\(name)")
        }
    }
}
