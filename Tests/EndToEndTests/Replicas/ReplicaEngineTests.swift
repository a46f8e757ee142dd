import Glibc
import Platform
import TestSupport
import Testing

extension ReplicaTests {
    /// The database of the log in trouble: its primary dies, both of its servers are away, or the way to it is cut.
    @Suite struct ReplicaEngineTests {
        @Test func `the primary dies and the standby is promoted, and no webhook that was answered is lost`() throws {
            let servers = try ReplicatedPostgres()
            let trial = try ReplicaTrial("failover", servers)
            let record = try trial.send { sender in
                try servers.killPrimary()
                // Webhooks are answered while nobody takes commits.
                let settled = sender.record.settled
                #expect(sender.wait(untilSettled: min(settled + 60, trial.day.posts.count)))
                try servers.promoteStandby()
                _ = try trial.replicas.waitForLeader()
            }
            try trial.expectTruth(record)
        }

        @Test func `both servers are away, webhooks are answered from the disk, and a replica dies meanwhile`() throws {
            let servers = try ReplicatedPostgres()
            let trial = try ReplicaTrial("away", servers)
            let replicas = trial.replicas
            let record = try trial.send { sender in
                try servers.stopBoth()
                let settled = sender.record.settled
                #expect(sender.wait(untilSettled: min(settled + 120, trial.day.posts.count)), "\(replicas.logs())")
                #expect(replicas.sum("lkpush_spill_events") > 0, "they wait on the disks of the replicas")
                Pause.wait(ReplicaTests.pause * 2)
                // All that it had answered is on its disk, and is forwarded by its next run.
                try replicas.kill(1)
                try servers.startBoth()
                try replicas.start(1)
                try replicas.waitUntilReady()
                _ = try replicas.waitForLeader()
            }
            #expect(replicas.sum("lkpush_spill_forwarded_events_total") > 0)
            try trial.expectTruth(record)
        }

        /// The way in which a replica loses the database.
        enum Cut: String, CaseIterable, Sendable {
            /// Its connections are closed, and new ones are refused.
            case cut
            /// Its connections stand, and nothing passes.
            case halfOpen

            var mode: StallingProxy.Mode { self == .cut ? .cut : .stalled }
        }

        @Test(arguments: Cut.allCases)
        func `a leader that is cut from the database is replaced, and its own webhooks wait on its disk`(
            cut: Cut
        ) throws {
            let servers = try ReplicatedPostgres()
            let proxies = try (0..<3).map { _ in try StallingProxy(to: servers.primary.port) }
            let trial = try ReplicaTrial(
                cut.rawValue.lowercased(), servers, ports: { (proxies[$0].port, servers.standby.port) })
            let replicas = trial.replicas
            let record = try trial.send { sender in
                let old = try replicas.waitForLeader()
                proxies[old].change(to: cut.mode)
                // It cannot know that it is replaced, so the others are asked.
                let isReplaced = try eventually {
                    try replicas.expectAlive()
                    return replicas.programs.indices.contains {
                        $0 != old && replicas.samples($0)["lkpush_leader"] == 1
                    }
                }
                #expect(isReplaced, "\(replicas.logs())")
                let isSpilling = try eventually {
                    try replicas.expectAlive()
                    return replicas.samples(old)["lkpush_spilled_events_total"] ?? 0 > 0 || sender.isAllSettled
                }
                #expect(isSpilling)
                proxies[old].change(to: .cut)
                proxies[old].change(to: .passing(delay: .zero))
                #expect(
                    try eventually {
                        try replicas.expectAlive()
                        return replicas.samples(old)["lkpush_leader"] == 0
                    }, "\(replicas.logs())")
            }
            try trial.expectTruth(record)
        }

        @Test func `the only standby is away for longer than a commit waits, and that resets nothing`() throws {
            let servers = try ReplicatedPostgres()
            let trial = try ReplicaTrial("alone", servers)
            let record = try trial.send { sender in
                try servers.cutStandby()
                let settled = sender.record.settled
                #expect(sender.wait(untilSettled: min(settled + 60, trial.day.posts.count)))
                // Commits and what takes them back are cancelled again and again meanwhile, and seen by everybody.
                Pause.wait(.seconds(20))
                try servers.joinStandby()
                _ = try trial.replicas.waitForLeader()
            }
            #expect(trial.replicas.sum("lkpush_log_losses_total") == 0, "\(trial.replicas.logs())")
            try trial.expectTruth(record)
        }

        @Test func `a standby without the tail is promoted: nothing counts twice, and an error says so`() throws {
            let servers = try ReplicatedPostgres(.asynchronous)
            let trial = try ReplicaTrial("tail", servers)
            let (day, replicas) = (trial.day, trial.replicas)
            let third = day.posts.count / 3
            func send(_ range: Range<Int>) throws {
                let sender = RetryingSender(
                    Array(day.webhooks[range]), to: replicas.ports, patience: .untilAnswered(scaledBy: 0.05))
                #expect(sender.waitUntilAllSettled())
                #expect(zip(day.posts[range], sender.stop().outcomes).allSatisfy { $0.status == $1.status })
            }
            try send(0..<third)
            let before = try replicas.differences(from: try day.reduction(.metadata, third)) { _ in false }
            #expect(before.isEmpty, "\(before.prefix(10))")
            try servers.loseTail {
                try send(third..<third * 2)
                let differences = try replicas.differences(from: try day.reduction(.metadata, third * 2)) { _ in false }
                #expect(differences.isEmpty, "\(differences.prefix(10))")
            }
            _ = try replicas.waitForLeader()
            try send(third * 2..<day.posts.count)
            try replicas.waitUntilForwarded()
            let told = replicas.programs.map { $0.output.matches(of: #/the shared log has lost its end/#).count }
            #expect(told.reduce(0, +) == 1, "one error: \(replicas.logs())")
            #expect(replicas.sum("lkpush_log_losses_total") == 1)
            try replicas.terminateAll()
            // Rows that were written stay. No fact is in them twice, whatever history the log has.
            let tables = try ApplicationTables(trial.application)
            let truth = try day.reduction(.metadata)
            #expect(Set(tables.recordings.keys).isSubset(of: truth.recordings.keys))
            var most: [ApplicationTables.Session: Int64] = [:]
            for (session, activity) in truth.sessions {
                let row = try ApplicationTables.Session(session)
                most[row, default: 0] += Int64(activity.count)
            }
            for (row, found) in tables.sessions { #expect(found.count <= most[row] ?? 0, "\(row)") }
        }

        @Test func `a receiver in trouble while the leader dies loses no count`() throws {
            let (servers, prometheus) = (try ReplicatedPostgres(), try PrometheusServer())
            let gateway = try TroubleProxy(to: prometheus.port)
            let (day, application) = (try FaultDay(), try ApplicationDatabase(PostgresServer.shared()))
            let journal = servers.url(database: try servers.newDatabase())
            let replicas = ReplicaServers(
                "gateway", journal: { _ in journal }, database: application.url, receiver: { _ in gateway.url },
                FaultDay.environment(.metadata))
            try replicas.startAndWait()
            let sender = RetryingSender(
                day.webhooks, to: replicas.ports, patience: .untilAnswered(scaledBy: 0.05), pace: .milliseconds(20))
            let troubles: [TroubleProxy.Condition] = [.answering(503, "busy"), .hanging]
            for (number, trouble) in troubles.enumerated() {
                #expect(sender.wait(untilSettled: day.posts.count * (number + 1) / 4))
                gateway.change(to: trouble)
                let leader = try replicas.waitForLeader()
                try replicas.kill(leader)
                _ = try replicas.waitForLeader()
                try replicas.start(leader)
                gateway.change(to: .passing)
            }
            #expect(sender.waitUntilAllSettled())
            let record = sender.stop()
            try replicas.waitUntilReady()
            try replicas.waitUntilForwarded()
            let expected = try day.reduction(.metadata)
            var problems = try replicas.differences(from: expected, ignoring: FaultDay.isDuplicates)
            let samples = replicas.samples(try replicas.waitForLeader())
            problems += day.deliveryProblems(record, expected, samples)
            try replicas.terminateAll()
            problems += try ApplicationTables(application).differences(from: expected)
            problems += try ReplicaHistory(prometheus: prometheus, name: replicas.name).problems(endingWith: samples)
            problems += try ReplicaHistory.problems(in: prometheus, names: [replicas.name])
            #expect(problems.isEmpty, "\((problems.prefix(20) + [replicas.logs()]).joined(separator: "\n"))")
        }
    }
}
