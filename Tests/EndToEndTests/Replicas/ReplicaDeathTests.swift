import Foundation
import Glibc
import Platform
import TestSupport
import Testing

extension ReplicaTests {
    /// A webhook of which every leader dies, and kills that have nothing to do with any webhook.
    @Suite struct ReplicaDeathTests {
        /// The reason and the event of each dead letter of a log, as an operator sees them with the query of the manual.
        private func deadLetters(_ database: ApplicationDatabase) throws -> [(reason: String, event: [String: Any])] {
            try database.rows(
                "SELECT convert_from(reason, 'UTF8'), convert_from(row_text, 'UTF8') FROM lkpush_journal_dead_letters"
            ).map { row in
                let json = try JSONSerialization.jsonObject(with: Data(try #require(row[1]).utf8))
                return (try #require(row[0]), try #require(json as? [String: Any]))
            }
        }

        @Test func `a webhook that kills every leader becomes a dead letter alone, and everything else counts`() throws
        {
            let (servers, receivers) = (try ReplicatedPostgres(), try ReplicaReceivers())
            let application = try ApplicationDatabase(servers.primary)
            let journal = servers.url(database: application.name)
            let replicas = ReplicaServers(
                "trap", journal: { _ in journal }, database: application.url,
                receiver: { receivers.receivers[$0].url },
                // A backtrace takes seconds, and signals to all threads.
                ["ORG_SOURCE": "fixed", "LKPUSH_TRAP_IDENTITY": "the trap", "SWIFT_BACKTRACE": "enable=no"])
            try replicas.startAndWait()
            let people = (0..<60).map { number in
                SignedWebhook.make("participant_joined", room: "room \(number)", identity: "person \(number)")
            }
            let trap = SignedWebhook.make("participant_joined", room: "room trap", identity: "the trap")
            let sender = RetryingSender(
                Array(people[..<30]) + [trap] + Array(people[30...]), to: replicas.ports, lanes: 4,
                patience: .untilAnswered(scaledBy: 0.05), answer: .seconds(1))
            var deaths = 0
            let isSetAside = try eventually {
                for (_, status) in try replicas.startDead() {
                    deaths += 1
                    #expect([128 + SIGILL, 128 + SIGTRAP].contains(status))
                }
                return try deadLetters(application).count > 0
            }
            #expect(isSetAside, "\(replicas.logs())")
            #expect(deaths >= 3)
            // A replica may have died of the event while another one set it aside.
            _ = try replicas.startDead()
            try replicas.waitUntilReady()
            #expect(sender.waitUntilAllSettled())
            #expect(sender.stop().accepted == 61)
            let isCounted = try eventually {
                try replicas.expectAlive()
                guard let leader = replicas.leader else { return false }
                return replicas.samples(leader)["lk_webhook_events_total{event=\"participant_joined\"}"] == 60
            }
            #expect(isCounted, "\(replicas.logs())")
            try replicas.terminateAll()
            let letters = try deadLetters(application)
            try #require(letters.count == 1, "\(letters)")
            #expect(letters[0].reason == "3 processes died while they applied this event")
            #expect(letters[0].event["room"] as? String == "room trap")
            let told = replicas.programs.map { $0.output.matches(of: #/died of again and again is set aside/#).count }
            #expect(told.reduce(0, +) == 1, "\(replicas.logs())")
        }

        @Test(.enabled(if: ReplicaTests.isThorough, "a long run: set REPLICA_RUNS"))
        func `twenty kills of all replicas at random discard nothing`() throws {
            let seed = UInt64.random(in: 0..<1 << 32)
            print("seed \(seed)")
            var random = SeededGenerator(seed: seed)
            let trial = try ReplicaTrial("kills", ReplicatedPostgres())
            let replicas = trial.replicas
            let record = try trial.send { _ in
                for number in 1...20 {
                    // Half of them hit replicas on their way up. The others hit a leader.
                    if number % 2 == 0 { _ = try replicas.waitForLeader() }
                    Pause.wait(.microseconds(Int.random(in: 0...150_000, using: &random)))
                    for index in replicas.programs.indices { try replicas.kill(index) }
                    for index in replicas.programs.indices { try replicas.start(index) }
                }
                _ = try replicas.waitForLeader()
            }
            try trial.expectTruth(record)
            let letters = try trial.servers.primary.query(
                "SELECT count(*) FROM lkpush_journal_dead_letters", in: trial.log)
            #expect(letters == "0", "seed \(seed)")
        }
    }
}
