import Glibc
import Platform
import TestSupport

/// Sends one day to a program that is killed again and again, and then compares all its results with the truth.
struct KillPass: Sendable {
    /// Figures of one pass.
    struct Figures: Sendable {
        var kills = 0
        var starts = 0
        var unanswered = 0
        var duplicates = 0
        var samples = 0
        var took = Duration.zero
    }

    let number: Int
    let plan: KillPlan
    let source: FaultDay.Source
    let database: ApplicationDatabase.Kind
    let day: FaultDay
    let prometheus: PrometheusServer

    var instance: String { "pass-\(number)" }

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
        let folder = TemporaryFolder()
        let application = try ApplicationDatabase(database, in: folder)
        if source == .database { try application.fill(day.rooms, in: folder) }
        let exporter = MortalExporter(folder, environment(application))
        try exporter.startAndWait()
        let sender = RetryingSender(
            Array(day.webhooks.prefix(plan.length)), to: exporter.webhooks, connections: plan.connections,
            patience: .untilAnswered(scaledBy: 0.01), pace: plan.pace)
        let disk = try FaultyDisk(root: folder.file("state"), in: folder)
        for stroke in plan.strokes { try strike(stroke, exporter, sender, disk) }
        try exporter.waitUntilReady()
        let isDone = sender.waitUntilAllSettled()
        let record = sender.stop()
        guard isDone else { throw exporter.failure("only \(record.settled) posts of \(plan.length) were answered") }

        let expected = try day.reduction(source, plan.length)
        var problems = try exporter.differences(from: expected.all, ignoring: FaultDay.isDuplicates)
        let samples = exporter.samples
        problems += day.deliveryProblems(record, expected, samples)
        try exporter.terminate()
        problems += try ApplicationTables(application).differences(from: expected)
        problems += try pushProblems(samples, &figures)

        figures.kills = exporter.kills
        figures.starts = exporter.starts
        figures.unanswered = record.unanswered
        figures.duplicates = Int(samples.filter { FaultDay.isDuplicates($0.key) }.values.reduce(0, +))
        figures.took = time.monotonic().since(begun)
        if problems.isEmpty { return [] }
        return problems + ["the log ends with: \(exporter.output.suffix(3_000))"]
    }

    private func environment(_ application: ApplicationDatabase) -> [String: String] {
        FaultDay.environment(source).merging([
            "DATABASE_URL": application.url, "GRAFANA_PROM_REMOTE_WRITE_URL": prometheus.writeURL, "INSTANCE": instance,
            "PUSH_INTERVAL": "100ms", "IDLE_PUSH_INTERVAL": "100ms", "STALE_ON_STOP": "false",
            "SNAPSHOT_INTERVAL": "50ms", "QUEUE_SIZE": "10000",
        ]) { $1 }
    }

    // MARK: Killing

    private func strike(
        _ stroke: KillPlan.Stroke, _ exporter: MortalExporter, _ sender: RetryingSender, _ disk: FaultyDisk
    ) throws {
        switch stroke {
        case .underway(let posts, let delay, let blow):
            // A later stroke needs a run that is ready.
            try exporter.waitUntilReady()
            guard sender.wait(untilBegun: min(posts, plan.length)) else {
                throw exporter.failure("only \(sender.record.begun) posts were begun")
            }
            Pause.wait(delay)
            switch blow {
            case .kill: try exporter.kill()
            case .terminate: try exporter.terminate()
            case .terminateThenKill(let later):
                exporter.signal(SIGTERM)
                Pause.wait(later)
                exporter.signal(SIGKILL)
                let status = try exporter.waitForEnd()
                guard status == 0 || status == 128 + SIGKILL else {
                    throw exporter.failure("it ended with \(status)")
                }
            }
        case .startingUp(let delay):
            Pause.wait(delay)
            try exporter.kill()
        case .atDisk(let call, let death):
            try exporter.kill()
            try exporter.start(disk.environment(dyingAt: call, death))
            // If the program writes too little for that many calls, the day ends first.
            guard eventually({ exporter.hasEnded || sender.isAllSettled }) else {
                throw exporter.failure("only \(sender.record.settled) posts were answered")
            }
            if exporter.hasEnded { try exporter.expectKilled() } else { try exporter.kill() }
        }
        try exporter.start()
    }

    // MARK: Pushed samples

    private func pushProblems(_ samples: [String: Double], _ figures: inout Figures) throws -> [String] {
        let found = Comparison.driven(try Pushed.samples(in: prometheus, instance: instance))
        var problems = Comparison.differences(expected: Comparison.driven(samples), found: found).map {
            "pushed: \($0)"
        }
        let history = try prometheus.query(
            "{__name__=~\"lk_.+_(total|count|bucket|sum)\",instance=\"\(instance)\"}[1d]")
        for series in history {
            figures.samples += series.points.count
            for (before, after) in zip(series.points, series.points.dropFirst()) where after.value < before.value {
                let name = Exposition.key(series.labels["__name__"] ?? "", series.labels)
                problems.append("\(name) fell from \(before.value) to \(after.value)")
            }
        }
        return problems
    }
}
