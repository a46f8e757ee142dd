import Foundation
import Glibc
import Platform
import TestSupport

/// Replicas of the built program on one log, each with a state folder, ports and a host name of its own, as the pods of
/// one deployment have them.
///
/// Giving host names takes root: `HostName.isAllowed`.
final class ReplicaServers {
    /// `JOURNAL_NAME`, which is also the label `instance` of what the leader pushes.
    let name: String
    /// The host names: the label `instance` of what each replica pushes about itself.
    let hosts: [String]
    let programs: [MortalExporter]
    /// Replicas that are stopped with SIGSTOP. They answer nothing, so nothing is asked of them.
    private var paused: Set<Int> = []
    /// Replicas that were started and neither killed nor stopped.
    private var living: Set<Int> = []

    /// The number of times that replicas which are gone had begun to lead.
    private var formerLeaderships = 0.0

    /// The settings of a replica, apart from those of `init`. The lease is short, and long enough for a busy machine.
    static let settings = [
        // A killed process sends again from its spool what the receiver may have taken of its own metrics. Prometheus
        // refuses that, and nothing is lost by it. Here every refusal is to be one of the shared series.
        "SPOOL_MAX_BYTES": "0",
        "LEASE_TTL": "2s", "INSTANCE": "", "PUSH_INTERVAL": "200ms", "IDLE_PUSH_INTERVAL": "200ms",
        "STALE_ON_STOP": "false", "SNAPSHOT_INTERVAL": "1s", "QUEUE_SIZE": "10000",
    ]

    /// Prepares replicas without starting them.
    ///
    /// - Parameters:
    ///   - journal: the value of `JOURNAL_URL` for each replica, by number: they may go through proxies.
    ///   - database: the value of `DATABASE_URL`, the same for all.
    ///   - receiver: the address that each replica pushes to.
    ///   - more: settings of all replicas.
    init(
        _ name: String, count: Int = 3, journal: (Int) -> String, database: String, receiver: (Int) -> String,
        _ more: [String: String] = [:]
    ) {
        self.name = name
        let hosts = (0..<count).map { "\(name)-host-\($0)" }
        self.hosts = hosts
        programs = hosts.indices.map { index in
            let own = [
                "JOURNAL_URL": journal(index), "JOURNAL_NAME": name, "DATABASE_URL": database,
                "GRAFANA_PROM_REMOTE_WRITE_URL": receiver(index),
            ]
            return MortalExporter(
                TemporaryFolder(), name: "replica-\(index)", host: hosts[index],
                Self.settings.merging(own) { $1 }.merging(more) { $1 })
        }
    }

    /// The ports that webhooks are sent to.
    var ports: [UInt16] { programs.map(\.webhooks) }

    // MARK: Starting and ending

    /// Starts all replicas, and waits until each is ready and one of them leads.
    func startAndWait() throws {
        for index in programs.indices { try start(index) }
        try waitUntilReady()
        _ = try waitForLeader()
    }

    func start(_ index: Int) throws {
        try programs[index].start()
        living.insert(index)
    }

    /// Starts each replica again that has ended by itself. Returns their numbers and statuses.
    func startDead() throws -> [(index: Int, status: Int32)] {
        try living.sorted().filter { programs[$0].hasEnded }.map { index in
            let status = try programs[index].waitForEnd()
            try start(index)
            return (index, status)
        }
    }

    /// Waits until every replica that lives is ready, whether it leads or not.
    func waitUntilReady() throws {
        for index in reachable { try programs[index].waitUntilReady() }
    }

    /// Kills a replica with SIGKILL.
    func kill(_ index: Int) throws {
        forget(index)
        try programs[index].kill()
    }

    /// Stops a replica in good order.
    func terminate(_ index: Int) throws {
        forget(index)
        try programs[index].terminate()
    }

    /// Stops all replicas in good order, and the leader last: nobody takes over.
    func terminateAll() throws {
        let last = leader
        for index in living.sorted() where index != last { try terminate(index) }
        if let last { try terminate(last) }
    }

    /// Forgets a replica that is about to end.
    private func forget(_ index: Int) {
        formerLeaderships += samples(index)["lkpush_leaderships_total"] ?? 0
        living.remove(index)
        paused.remove(index)
    }

    /// Halts a replica at whatever point it is.
    func pause(_ index: Int) {
        paused.insert(index)
        programs[index].signal(SIGSTOP)
    }

    /// Notes that something else has halted a replica.
    func notePause(_ index: Int) { paused.insert(index) }

    /// Lets a replica go on that was halted.
    func resume(_ index: Int) {
        programs[index].signal(SIGCONT)
        paused.remove(index)
    }

    // MARK: Looking

    private var reachable: [Int] { living.subtracting(paused).sorted() }

    /// Samples of `/metrics` of a replica. Empty if it does not answer.
    func samples(_ index: Int) -> [String: Double] { reachable.contains(index) ? programs[index].samples : [:] }

    /// The sum over all replicas that can be asked.
    func sum(_ key: String) -> Double { reachable.reduce(0) { $0 + (samples($1)[key] ?? 0) } }

    /// The sum over all replicas and all samples whose names begin with a text.
    func sum(prefix: String) -> Double {
        reachable.reduce(0) { $0 + samples($1).filter { $0.key.hasPrefix(prefix) }.values.reduce(0, +) }
    }

    /// The number of times that a replica has begun to lead.
    var leaderships: Int { Int(formerLeaderships + sum("lkpush_leaderships_total")) }

    /// The replica that says of itself that it leads. Nil if none does.
    var leader: Int? { reachable.first { samples($0)["lkpush_leader"] == 1 } }

    /// The section `replicas` of `/debug/status`. Empty if there is none.
    func status(_ index: Int) -> [String: Any] {
        let text = LoopbackClient.get("/debug/status", port: programs[index].metrics)?.body ?? ""
        let document = try? JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        return document?["replicas"] as? [String: Any] ?? [:]
    }

    /// Waits until a replica leads, another one than `former`. Returns its number.
    func waitForLeader(after former: Int? = nil) throws -> Int {
        var found: Int?
        let isThere = try eventually {
            try expectAlive()
            found = leader
            return found != nil && found != former
        }
        guard isThere, let found else { throw failure("no replica leads") }
        return found
    }

    /// Throws if a replica has ended by itself.
    func expectAlive() throws {
        for index in living { try programs[index].expectAlive() }
    }

    /// Waits until nothing is spilled any more.
    func waitUntilForwarded() throws {
        let isDone = try eventually {
            try expectAlive()
            return sum("lkpush_spill_events") == 0
        }
        if !isDone { throw failure("\(sum("lkpush_spill_events")) events are still spilled") }
    }

    /// Waits until the leader's samples of events are `expected`. Returns the differences if they never are.
    func differences(from expected: Reduction, ignoring isIgnored: (String) -> Bool) throws -> [String] {
        let wanted = Comparison.driven(expected.all).filter { !isIgnored($0.key) }
        var differences: [String] = []
        _ = try eventually {
            try expectAlive()
            guard let leader else {
                differences = ["no replica leads"]
                return false
            }
            let found = Comparison.driven(samples(leader)).filter { !isIgnored($0.key) }
            differences = Comparison.differences(expected: wanted, found: found)
            return differences.isEmpty
        }
        return differences
    }

    /// The ends of the logs of all replicas.
    func logs(_ length: Int = 2_000) -> String {
        zip(hosts, programs).map { "\($0) ends with: \($1.output.suffix(length))" }.joined(separator: "\n")
    }

    func failure(_ text: String) -> MortalExporter.ExporterError { programs[0].failure("\(text)\n\(logs())") }
}
