import Platform
import TestSupport
import Testing

/// Files that are damaged between a kill and the next start.
///
/// `DAMAGE_RUNS` is the number of runs for each kind of damage, 3 by default. `DAMAGE_SEED` repeats a run.
@Suite(.serialized) struct DamageTests {
    /// Sends posts one by one over one connection, so that the journal has the events in the order of the day.
    ///
    /// - Returns: true if any was sent twice, because its commit was late.
    @discardableResult
    private func send(
        _ posts: ArraySlice<Day.Post>, to exporter: MortalExporter, pace: Duration = .zero
    ) throws -> Bool {
        let webhooks = posts.map { RetryingSender.Webhook(key: "", token: $0.token, body: $0.body) }
        let sender = RetryingSender(
            webhooks, to: exporter.webhooks, connections: 1, patience: .untilAnswered(scaledBy: 0.01), pace: pace)
        let isDone = sender.waitUntilAllSettled()
        let record = sender.stop()
        exporter.note(record, of: posts)
        try exporter.expectAlive()
        try #require(isDone, "\(exporter.readiness)")
        return record.outcomes.contains { $0.repeats > 0 }
    }

    @Test(arguments: Damage.allCases)
    func `a damaged file stops nothing, and no counter goes on from a lower value`(damage: Damage) throws {
        let runs = ProcessEnvironment.current["DAMAGE_RUNS"].flatMap { Int($0) } ?? 3
        let first =
            ProcessEnvironment.current["DAMAGE_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0..<1 << 32)
        let day = try FaultDay()
        for seed in first..<first + UInt64(runs) {
            let problems: [String]
            do {
                // The state after some of the events is known only if each of them was sent once.
                var found: [String]?
                for _ in 0..<20 where found == nil { found = try run(damage, day, seed) }
                problems = found ?? ["commits are late, again and again"]
            } catch {
                problems = ["\(error)"]
            }
            #expect(
                problems.isEmpty, "DAMAGE_SEED=\(seed) DAMAGE_RUNS=1: \(problems.joined(separator: "\n"))")
        }
    }

    /// The problems of one run. Nil if a commit was late, so that nothing can be said.
    private func run(_ damage: Damage, _ day: FaultDay, _ seed: UInt64) throws -> [String]? {
        var random = SeededGenerator(seed: seed)
        let folder = TemporaryFolder()
        let exporter = MortalExporter(
            folder,
            FaultDay.environment(.metadata).merging([
                "DATABASE_URL": "sqlite:" + folder.file("office.db"), "SNAPSHOT_INTERVAL": "100ms",
            ]) { $1 })
        try exporter.startAndWait()
        let half = Int.random(in: 200...400, using: &random)
        // Some of the events come before the last snapshots, and some perhaps after them.
        let isEarlyRepeated = try send(day.posts.prefix(half / 2), to: exporter)
        let state = StateFolder(folder)
        let isSaved = eventually { state.snapshots.count >= 2 }
        guard isSaved else { return ["no two snapshots: \(state.listing)"] }
        let isRepeated = try send(day.posts[(half / 2)..<half], to: exporter, pace: .microseconds(500))
        if isEarlyRepeated || isRepeated { return nil }
        let differences = try exporter.differences(from: try day.reduction(.metadata, half).all)
        guard differences.isEmpty else { return differences }
        try exporter.kill()
        guard StateFolder.size(of: state.journal) > 0, !state.snapshots.isEmpty else {
            return ["there is nothing to damage: \(state.listing)"]
        }
        let listing = state.listing
        try damage.strike(state, using: &random)
        let lines = exporter.output.split(separator: "\n").count
        try exporter.startAndWait()

        let news = exporter.output.split(separator: "\n").dropFirst(lines)
        let isSaid = news.contains { $0.contains("\"level\":\"warning\"") || $0.contains("\"level\":\"error\"") }
        let found = Comparison.driven(exporter.samples)
        var problems = try remainderProblems(damage, day, half, found, isSaid: isSaid)
        try send(day.posts.dropFirst(half), to: exporter)
        let everything = try day.reduction(.metadata)
        problems += Gauges.problems(Comparison.driven(exporter.samples), atMost: everything.all)
        if case .everything = damage.remainder { problems += try exporter.differences(from: everything.all) }
        // The next run reads what this one wrote.
        let last = Comparison.driven(exporter.samples)
        try exporter.kill()
        try exporter.startAndWait()
        problems += try exporter.differences(from: last).map { "in the life after: \($0)" }
        try exporter.terminate()
        return problems.isEmpty
            ? [] : problems.prefix(8) + [listing, state.listing, "\(news.prefix(5).joined(separator: "\n"))"]
    }

    /// The problems of the first values after the damage. `count` posts were sent before it.
    private func remainderProblems(
        _ damage: Damage, _ day: FaultDay, _ count: Int, _ found: [String: Double], isSaid: Bool
    ) throws -> [String] {
        let whole = try day.reduction(.metadata, count).all
        let missing = Comparison.differences(expected: Comparison.driven(whole), found: found)
        if missing.isEmpty { return [] }
        var problems = Gauges.problems(found, atMost: whole)
        switch damage.remainder {
        case .everything: problems += missing
        case .prefix:
            if isZero(found) { break }
            // The state must be exactly the one after some number of events.
            let isPrefix = try isState(found, of: day)
            if !isPrefix { problems += ["neither everything, nor a prefix, nor 0"] + missing }
        case .everythingOrCountersAtZero:
            if !isZero(found) { problems += ["neither everything nor 0"] + missing }
            if !isSaid { problems.append("something is missing and nothing was said") }
        }
        return problems
    }

    /// True if these are the samples after the first events of the day, as many as the samples count.
    private func isState(_ found: [String: Double], of day: FaultDay) throws -> Bool {
        let names: Set = ["lk_webhook_events_total", "lk_webhook_duplicates_total"]
        let taken = found.filter { names.contains(String($0.key.prefix { $0 != "{" })) }.values.reduce(0, +)
        var reduction = Reduction(region: "here")
        for post in day.posts.filter({ !$0.isForged }).prefix(Int(taken)) { try reduction.take(post.body) }
        return Comparison.differences(expected: Comparison.driven(reduction.all), found: found).isEmpty
    }

    private func isZero(_ found: [String: Double]) -> Bool {
        found.allSatisfy { Gauges.isGauge($0.key) || $0.value == 0 }
    }
}
