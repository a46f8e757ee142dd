import Platform
import TestSupport
import Testing

/// One day over three replicas with a receiver each, in which a test makes trouble.
///
/// The log lies on servers of its own, apart from the application's database, so that either may be in trouble.
struct ReplicaTrial {
    let day: FaultDay
    let servers: ReplicatedPostgres
    /// The name of the log's database on its servers.
    let log: String
    let application: ApplicationDatabase
    let receivers: ReplicaReceivers
    let replicas: ReplicaServers

    /// Starts the replicas, and waits until one leads.
    ///
    /// - Parameter ports: the ports through which a replica reaches the two servers of its log.
    init(
        _ name: String, _ servers: ReplicatedPostgres,
        ports: ((Int) -> (primary: UInt16, standby: UInt16))? = nil, _ more: [String: String] = [:]
    ) throws {
        day = try FaultDay()
        self.servers = servers
        application = try ApplicationDatabase(Self.applicationServer())
        let receivers = try ReplicaReceivers()
        self.receivers = receivers
        let database = try servers.newDatabase()
        log = database
        replicas = ReplicaServers(
            name, journal: { servers.url(database: database, ports: ports?($0)) }, database: application.url,
            receiver: { receivers.receivers[$0].url }, FaultDay.environment(.metadata).merging(more) { $1 })
        try replicas.startAndWait()
    }

    private static func applicationServer() throws -> PostgresServer { try PostgresServer.shared() }

    /// Whoever writes rows waits.
    func lockApplication() throws -> TableLock {
        try TableLock(TableLock.rows, of: application.name, on: Self.applicationServer())
    }

    /// The leader's next commit waits.
    func lockLog() throws -> TableLock { try TableLock(TableLock.commits, of: log, on: servers.primary) }

    /// Sends the day. `trouble` is made while the first third is already answered and the rest comes.
    ///
    /// Attempts that a halted replica does not answer are given up after a second, as LiveKit gives up, too.
    func send(_ trouble: (RetryingSender) throws -> Void) throws -> RetryingSender.Record {
        let sender = RetryingSender(
            day.webhooks, to: replicas.ports, patience: .untilAnswered(scaledBy: 0.05), answer: .seconds(1),
            pace: .milliseconds(20))
        #expect(sender.wait(untilSettled: day.posts.count / 3))
        try trouble(sender)
        #expect(sender.waitUntilAllSettled(), "\(replicas.logs())")
        return sender.stop()
    }

    /// Expects that everything adds up: nothing is lost, nothing is counted twice, and no sample is wrong. Ends the
    /// replicas.
    func expectTruth(_ record: RetryingSender.Record, sourceLocation: SourceLocation = #_sourceLocation) throws {
        try replicas.waitUntilReady()
        try replicas.waitUntilForwarded()
        let expected = try day.reduction(.metadata)
        var problems = try replicas.differences(from: expected, ignoring: FaultDay.isDuplicates)
        let samples = replicas.samples(try replicas.waitForLeader())
        problems += day.deliveryProblems(record, expected, samples)
        let lost = replicas.sum("lkpush_spill_lost_events_total")
        if lost > 0 { problems.append("\(lost) spilled events were lost") }
        let leaderships = replicas.leaderships
        try replicas.terminateAll()
        problems += try ApplicationTables(application).differences(from: expected)
        problems += try receivers.problems(endingWith: samples, leaderships: leaderships)
        let lines = (problems.prefix(20) + [replicas.logs()]).joined(separator: "\n")
        #expect(problems.isEmpty, "\(lines)", sourceLocation: sourceLocation)
    }
}
