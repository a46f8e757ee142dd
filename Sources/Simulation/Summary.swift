/// The text at the end of a run.
enum Summary {
    static func text(
        _ tally: Tally, _ truth: Truth, world: Truth, _ progress: Simulator.Progress, isComplete: Bool
    ) -> String {
        let seconds = max(0.001, progress.elapsed / .seconds(1))
        let answered = tally.answered
        var lines = [
            (isComplete ? "The day is over" : "Stopped early") + " after \(ProgressLine.clock(progress.elapsed)).",
            "",
            "  requests sent       \(tally.requests)",
            "  webhooks answered   \(ProgressLine.statuses(tally))",
            "  retried             \(tally.retried)",
            "  given up            \(tally.lost)",
            "  never sent          \(tally.withheld)",
            "  rate                \(Int((Double(answered) / seconds).rounded()))/s",
            "  answer, mean        \(milliseconds(tally.answer_seconds / Double(max(1, tally.requests - tally.unanswered))))",
            "  answer, slowest     \(milliseconds(tally.slowest_seconds))",
            "  same id twice       \(tally.novelties[.duplicate] ?? 0)",
            "  same fact twice     \(tally.novelties[.restatement] ?? 0)",
            "",
            "What happened, as far as it was answered 200 (lkpush should say the same):",
            "",
        ]
        lines += table(truth)
        if tally.withheld > 0 {
            let title = "What really happened (lkpush should say the same once it has asked the API):"
            lines += ["", title, ""] + table(world)
        }
        if !tally.isFlawless, let problem = tally.problem { lines += ["", "Last problem: \(problem)"] }
        if tally.lost > 0 { lines.append("Webhooks were given up: what followed them may not add up.") }
        return lines.joined(separator: "\n") + "\n"
    }

    private static func sum<Key>(_ counts: [Key: Int]) -> Int { counts.values.reduce(0, +) }

    private static func milliseconds(_ seconds: Double) -> String { "\((seconds * 10_000).rounded() / 10) ms" }

    private static func table(_ truth: Truth) -> [String] {
        let head = [
            "organization", "rooms", "open", "sessions", "present", "tracks", "on", "recordings", "failed", "streams",
        ]
        var rows = [head]
        for (organization, account) in truth.accounts.sorted(by: { $0.key < $1.key }) {
            let failed = account.recordingsEnded.filter { !$0.key.hasSucceeded }
            let numbers: [Int] = [
                account.roomsStarted, account.openRooms.count, account.sessions, account.present.count,
                sum(account.tracks), account.openTracks.count, sum(account.recordingsEnded), sum(failed),
                sum(account.streamsEnded),
            ]
            rows.append([organization] + numbers.map { String($0) })
        }
        let widths = head.indices.map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? "  " + cell + space : space + cell
            }.joined(separator: "  ")
        }
    }
}
