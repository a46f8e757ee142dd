import Platform
import TestSupport

/// Sends one day to replicas that die again and again, and then compares all results with the truth.
struct ReplicaPass: Sendable {
    /// Figures of one pass.
    struct Figures: Sendable {
        var kills = 0
        var changes = 0
        var unanswered = 0
        var duplicates = 0
        var gap_seconds = 0.0
        var took = Duration.zero
    }

    let number: Int
    let plan: ReplicaPlan
    let source: FaultDay.Source
    let day: FaultDay
    let servers: ReplicatedPostgres
    let prometheus: PrometheusServer

    var name: String { "pass-\(number)" }

    /// Runs the pass. Returns its figures, and one line for each problem.
    func run() -> (figures: Figures, problems: [String]) {
        var figures = Figures()
        do {
            let problems = try run(&figures)
            return (figures, problems)
        } catch {
            return (figures, ["\(error)"])
        }
    }

    private func run(_ figures: inout Figures) throws -> [String] {
        let time = SystemTime()
        let begun = time.monotonic()
        // The log lies in the application's database, as it may.
        let application = try ApplicationDatabase(servers.primary)
        if source == .database { try application.fill(day.rooms, in: TemporaryFolder()) }
        let journal = servers.url(database: application.name)
        let replicas = ReplicaServers(
            name, journal: { _ in journal }, database: application.url, receiver: { _ in prometheus.writeURL },
            FaultDay.environment(source))
        try replicas.startAndWait()
        let sender = RetryingSender(
            Array(day.webhooks.prefix(plan.length)), to: replicas.ports, lanes: plan.lanes,
            patience: .untilAnswered(scaledBy: 0.05), pace: plan.pace)
        for stroke in plan.strokes { try strike(stroke, replicas, sender, &figures) }
        try replicas.waitUntilReady()
        let isDone = sender.waitUntilAllSettled()
        let record = sender.stop()
        guard isDone else { throw replicas.failure("only \(record.settled) posts of \(plan.length) were answered") }
        try replicas.waitUntilForwarded()

        let expected = try day.reduction(source, plan.length)
        var problems = try replicas.differences(from: expected, ignoring: FaultDay.isDuplicates)
        let samples = replicas.samples(try replicas.waitForLeader())
        problems += day.deliveryProblems(record, expected, samples)
        for prefix in ["lkpush_spill_lost_events_total", "lkpush_remote_write_samples_rejected_total"] {
            let sum = replicas.sum(prefix: prefix)
            if sum > 0 { problems.append("\(prefix): \(sum)") }
        }
        try replicas.terminateAll()
        problems += try ApplicationTables(application).differences(from: expected)
        let history = ReplicaHistory(prometheus: prometheus, name: name)
        problems += try history.problems(endingWith: samples)

        figures.kills = replicas.programs.reduce(0) { $0 + $1.kills }
        figures.unanswered = record.unanswered
        figures.duplicates = Int(samples.filter { FaultDay.isDuplicates($0.key) }.values.reduce(0, +))
        figures.gap_seconds = try history.longestGap()
        figures.took = time.monotonic().since(begun)
        return problems.isEmpty ? [] : problems + [replicas.logs()]
    }

    private func strike(
        _ stroke: ReplicaPlan.Stroke, _ replicas: ReplicaServers, _ sender: RetryingSender, _ figures: inout Figures
    ) throws {
        guard sender.wait(untilBegun: min(stroke.posts, plan.length)) else {
            throw replicas.failure("only \(sender.record.begun) posts were begun")
        }
        Pause.wait(stroke.delay)
        let leader = replicas.leader
        let victims: [Int]
        switch stroke.victim {
        case .leader: victims = [leader ?? 0]
        case .standby: victims = [replicas.programs.indices.first { $0 != leader } ?? 0]
        case .number(let number): victims = [number]
        case .all: victims = Array(replicas.programs.indices)
        }
        for victim in victims {
            // One that is still on its way up must not take a stop in good order for an end by itself.
            if stroke.isOrderly { try replicas.programs[victim].waitUntilReady() }
            if stroke.isOrderly { try replicas.terminate(victim) } else { try replicas.kill(victim) }
        }
        if let leader, victims.contains(leader) { figures.changes += 1 }
        Pause.wait(stroke.absence)
        for victim in victims { try replicas.start(victim) }
        if stroke.awaitsLeader { _ = try replicas.waitForLeader() }
    }
}
