import Glibc
import Platform
import TestSupport
import Testing

extension ReplicaTests {
    /// Days over three replicas of the built program, on a PostgreSQL with a synchronous standby. Every event that any
    /// replica answered 200 is counted exactly once, and what is pushed has one writer.
    ///
    /// `REPLICA_RUNS` is the number of days on which replicas are killed, 2 by default: `REPLICA_RUNS=20` for a thorough
    /// run. Where it is set, leaders also stand still for 30 s and their database is away for a minute, instead of until
    /// the others have gone on. `REPLICA_SEED` repeats one run, with `REPLICA_RUNS=1`: a failure prints both.
    @Suite struct ReplicaDayTests {
        private static func number(_ variable: String) -> UInt64? {
            ProcessEnvironment.current[variable].flatMap { UInt64($0) }
        }

        @Test func `a day without a death adds up, and each series has one writer and each replica its own`() throws {
            let (day, servers, prometheus) = (try FaultDay(), try ReplicatedPostgres(), try PrometheusServer())
            let pass = ReplicaPass(
                number: 0, plan: ReplicaPlan(peaceful: day.posts.count), source: .metadata, day: day, servers: servers,
                prometheus: prometheus)
            let result = pass.run()
            #expect(result.problems.isEmpty, "\(result.problems.prefix(20).joined(separator: "\n"))")
            let problems = try ReplicaHistory.problems(in: prometheus, names: [pass.name])
            #expect(problems.isEmpty, "\(problems.prefix(20).joined(separator: "\n"))")
            // The series about a replica itself have its host name, whether it leads or not.
            let own = try prometheus.query("count by (instance) (lkpush_leader)")
            #expect(Set(own.compactMap { $0.labels["instance"] }) == Set((0..<3).map { "\(pass.name)-host-\($0)" }))
        }

        @Test func `a day over replicas that die again and again adds up everywhere, and nothing falls`() throws {
            let runs = Int(Self.number("REPLICA_RUNS") ?? 2)
            let first = Self.number("REPLICA_SEED") ?? UInt64.random(in: 0..<1 << 32)
            print("REPLICA_SEED=\(first) REPLICA_RUNS=\(runs)")
            let (day, servers, prometheus) = (try FaultDay(), try ReplicatedPostgres(), try PrometheusServer())
            var names: [String] = []
            for number in 0..<runs {
                let seed = first &+ UInt64(number)
                let sources = FaultDay.Source.allCases
                let pass = ReplicaPass(
                    number: number, plan: ReplicaPlan(seed: seed, posts: day.posts.count),
                    source: sources[Int(seed % UInt64(sources.count))], day: day, servers: servers,
                    prometheus: prometheus)
                names.append(pass.name)
                let (figures, problems) = pass.run()
                print(
                    """
                    run \(number): \(figures.kills) kills, the leader \(figures.changes) times, \(figures.unanswered) \
                    attempts without an answer, \(figures.duplicates) duplicates, the longest gap between readings \
                    \(figures.gap_seconds) s, \(figures.took)
                    """)
                #expect(
                    problems.isEmpty,
                    """
                    REPLICA_SEED=\(seed) REPLICA_RUNS=1: \(pass.source), \(pass.plan)
                    \(problems.prefix(15).joined(separator: "\n"))
                    \(problems.last ?? "")
                    """)
            }
            let problems = try ReplicaHistory.problems(in: prometheus, names: names)
            #expect(problems.isEmpty, "\(problems.prefix(20).joined(separator: "\n"))")
        }

        @Test func `a rolling restart under load costs no webhook more than a second attempt`() throws {
            let (day, servers, prometheus) = (
                try FaultDay(others: 900), try ReplicatedPostgres(), try PrometheusServer()
            )
            let application = try ApplicationDatabase(servers.primary)
            let journal = servers.url(database: application.name)
            let replicas = ReplicaServers(
                "rolling", journal: { _ in journal }, database: application.url, receiver: { _ in prometheus.writeURL },
                FaultDay.environment(.metadata))
            try replicas.startAndWait()
            let sender = RetryingSender(
                day.webhooks, to: replicas.ports, patience: .untilAnswered(scaledBy: 0.1), pace: .milliseconds(60))
            for index in replicas.programs.indices {
                #expect(sender.wait(untilSettled: day.posts.count * (index + 1) / 5))
                try replicas.terminate(index)
                try replicas.start(index)
                // As a deployment waits before it turns to the next pod.
                try replicas.waitUntilReady()
                _ = try replicas.waitForLeader()
            }
            #expect(sender.waitUntilAllSettled())
            let record = sender.stop()
            #expect(record.outcomes.allSatisfy { $0.attempts <= 2 }, "\(record.outcomes.filter { $0.attempts > 2 })")
            #expect(zip(day.posts, record.outcomes).allSatisfy { $0.status == $1.status })
            try replicas.waitUntilForwarded()

            let expected = try day.reduction(.metadata)
            var problems = try replicas.differences(from: expected, ignoring: FaultDay.isDuplicates)
            let samples = replicas.samples(try replicas.waitForLeader())
            problems += day.deliveryProblems(record, expected, samples)
            try replicas.terminateAll()
            problems += try ApplicationTables(application).differences(from: expected)
            let history = ReplicaHistory(prometheus: prometheus, name: replicas.name)
            problems += try history.problems(endingWith: samples)
            problems += try ReplicaHistory.problems(in: prometheus, names: [replicas.name])
            print("the longest gap between readings: \(try history.longestGap()) s, every \(200) ms")
            #expect(problems.isEmpty, "\((problems.prefix(20) + [replicas.logs()]).joined(separator: "\n"))")
            // A stop in good order leaves no marker that ends a series: the next leader goes on with it.
            #expect(replicas.programs.allSatisfy { !$0.output.contains("\"level\":\"error\"") }, "\(replicas.logs())")
        }

        @Test func `plans follow from their seeds, differ between them, and kill the leader`() {
            let plans = (0..<50).map { ReplicaPlan(seed: $0, posts: 586) }
            for (seed, plan) in plans.enumerated() {
                #expect(plan.description == ReplicaPlan(seed: UInt64(seed), posts: 586).description)
                #expect(plan.strokes[0].victim == .leader && !plan.strokes[0].isOrderly)
            }
            #expect(Set(plans.map(\.description)).count == 50)
        }
    }
}
