import Wire

/// One line about a run in progress.
struct ProgressLine {
    private var answeredBefore = 0
    private var lagBefore = 0.0
    private var elapsedBefore = Duration.zero

    /// A line longer than the terminal is wide would not be overwritten by the next.
    private static let problemLength = 60

    /// The line; rate and lag are those since the last one.
    mutating func text(_ tally: Tally, _ progress: Simulator.Progress) -> String {
        let answered = tally.answered
        let took = max(0.001, progress.elapsed.inSeconds - elapsedBefore.inSeconds)
        let news = answered - answeredBefore
        let rate = Double(news) / took
        let lag_ms = news > 0 ? (tally.lag_seconds - lagBefore) / Double(news) * 1_000 : 0
        (answeredBefore, lagBefore, elapsedBefore) = (answered, tally.lag_seconds, progress.elapsed)
        let statuses = Self.statuses(tally)
        var line = "sent \(tally.requests)  answered \(statuses)  \(Int(rate.rounded()))/s  lag \(Int(lag_ms)) ms"
        if tally.retried > 0 { line += "  retried \(tally.retried)" }
        if tally.lost > 0 { line += "  given up \(tally.lost)" }
        line += "  left \(Self.clock(progress.left))"
        if news == 0, progress.waiting > 0, let problem = tally.problem {
            line += "  (\(problem.prefix(Self.problemLength)))"
        }
        return line
    }

    static func statuses(_ tally: Tally) -> String {
        guard !tally.statuses.isEmpty else { return "0" }
        return tally.statuses.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
    }

    /// `1:05` or `2:00:05`.
    static func clock(_ duration: Duration) -> String {
        let seconds = duration.components.seconds
        let padded = { (number: Int64) in number < 10 ? "0\(number)" : "\(number)" }
        let minutes = seconds / 60 % 60
        return seconds < 3_600
            ? "\(minutes):\(padded(seconds % 60))" : "\(seconds / 3_600):\(padded(minutes)):\(padded(seconds % 60))"
    }
}
