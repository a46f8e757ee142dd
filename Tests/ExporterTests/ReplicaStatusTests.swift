import HTTPServing
import Journal
import Pipeline
import Platform
import Status
import TestSupport
import Testing
import Wire

@testable import Exporter

/// The section `replicas` of the status.
@Suite struct ReplicaStatusTests {
    private static let now = MonotonicTime(nanoseconds: 100_000_000_000)

    private static func lease(_ change: (inout LeaseCondition) -> Void = { _ in }) -> LeaseCondition {
        var record = LeaseRecord()
        (record.epoch, record.holder, record.hasExpired) = (5, "pod-1", false)
        record.since = Timestamp(seconds: 1_764_000_000)
        (record.lastEvent, record.applied) = (1_000, 990)
        var lease = LeaseCondition()
        lease.record = record
        lease.readAt = now + .milliseconds(-2_500)
        change(&lease)
        return lease
    }

    private static func status(_ lease: LeaseCondition?, _ append: AppendCondition = .init()) -> ReplicaStatus {
        ReplicaStatus("pod-0", lease, append, at: now)
    }

    @Test func `a standby tells the leader of the lease, and how old that is`() {
        let status = Self.status(Self.lease { $0.bar = "another version" })
        #expect(status.name == "pod-0" && !status.isLeader && status.holder == "pod-1")
        #expect(status.epoch == 5 && status.since == Timestamp(seconds: 1_764_000_000))
        #expect(status.lastEvent == 1_000 && status.applied == 990 && status.behind == 10)
        #expect(status.contactAge == 2.5 && status.reason == "another version" && !status.hasNoLeader)
    }

    @Test func `a lease that has run out is nobody's`() {
        let status = Self.status(Self.lease { $0.record?.hasExpired = true })
        #expect(status.holder.isEmpty && status.since == nil && status.hasNoLeader)
        #expect(status.leaderLine == "leader: none")
        let unread = Self.status(nil)
        #expect(!unread.hasNoLeader && unread.contactAge == nil && unread.leaderLine == "leader: not known")
    }

    @Test func `a leader tells itself, also before it has read its own lease`() {
        let taken = Timestamp(seconds: 1_764_000_600)
        // The record is that of the leader before.
        var lease = Self.lease {
            $0.record?.hasExpired = true
            ($0.epoch, $0.since) = (6, taken)
        }
        var status = Self.status(lease)
        #expect(status.isLeader && status.holder == "pod-0" && status.epoch == 6 && status.since == taken)
        lease.record?.epoch = 6
        lease.record?.since = taken - .seconds(1)
        lease.record?.hasExpired = false
        status = Self.status(lease)
        #expect(status.epoch == 6 && status.since == taken - .seconds(1))
        #expect(status.leaderLine == "leader: pod-0 (this replica), epoch 6, 10 events behind")
    }

    @Test func `the way to the log and what waits are told`() {
        var append = AppendCondition()
        (append.isUp, append.error, append.since) = (false, "connection refused", Timestamp(seconds: 7))
        (append.spilledEvents, append.spilled_bytes, append.spillError) = (12, 4_096, "no space left")
        let status = Self.status(Self.lease(), append)
        #expect(status.isLogUp == false && status.logError == "connection refused")
        #expect(status.logSince == Timestamp(seconds: 7))
        #expect(status.spilledEvents == 12 && status.spilled_bytes == 4_096 && status.spillError == "no space left")
    }

    @Test func `events that were lost before the first look are news, and over after an hour`() {
        var increases = LastIncreases()
        let now = Timestamp(seconds: 1_764_000_000)
        #expect(increases.note(.spillLost, 0, from: 0, at: now) == nil)
        #expect(increases.note(.spillLost, 3, from: 0, at: now + .seconds(1)) == now + .seconds(1))
        #expect(increases.note(.spillLost, 3, from: 0, at: now + .seconds(9)) == now + .seconds(1))
        increases = LastIncreases()
        #expect(increases.note(.spillLost, 3, from: 0, at: now) == now)
        #expect(increases.note(.rows, 3, at: now) == nil)
    }

    @Test func `two replicas on one log name the same leader, and one of them leads`() throws {
        let database = try PostgresServer.shared().database()
        var services: [Service] = []
        defer { for service in services.reversed() { _ = service.stop() } }
        let folders = [TemporaryFolder(), TemporaryFolder()]
        for folder in folders {
            var environment = IdleService.environment(folder)
            (environment["JOURNAL_URL"], environment["DATABASE_URL"]) = (database, database)
            environment["SINGLE_SESSION"] = "false"
            var reader = SettingsReader(environment)
            let settings = Settings(&reader)
            #expect(reader.problems.isEmpty, "\(reader.problems)")
            let service = try Service(settings, rows: reader.rows, log: Log(level: .error, format: .text))
            services.append(service)
            try service.start()
            #expect(
                try eventually {
                    let replicas = try #require(service.statusDocument.replicas)
                    return !replicas.holder.isEmpty && replicas.contactAge != nil
                })
        }
        let documents = services.map(\.statusDocument)
        let replicas = documents.compactMap(\.replicas)
        #expect(replicas.map(\.isLeader) == [true, false])
        #expect(replicas.allSatisfy { $0.holder == InstanceName.host && $0.epoch == 1 })
        #expect(documents.map(\.isStandby) == [false, true])
        let answers = try services.map { service in
            try #require(try RawHTTP(port: service.metricsAddress.port).ask("GET", "/readyz"))
        }
        #expect(answers.allSatisfy { $0.status == 200 })
        let host = InstanceName.host
        #expect(answers[0].text == "ready\nleader: \(host) (this replica), epoch 1, 0 events behind")
        #expect(answers[1].text == "ready\nleader: \(host), epoch 1, 0 events behind")
        // Strangers are not told the names of hosts.
        let open = try RawHTTP(port: services[0].publicAddress.port).ask("GET", "/readyz")
        #expect(open?.text == "ready")
    }
}
