import Wire

/// One line about a run in progress.
package struct ProgressLine {
    private enum Width {
        /// Below it a bar says less than the words it costs.
        static let bar_min = 10
        static let bar_max = 40
        /// What the words of a line usually take, so that the bar does not jump with their length.
        static let words = 64
    }

    private var answeredBefore = 0
    private var lagBefore = 0.0
    private var elapsedBefore = Duration.zero

    package init() {}

    /// The line; rate and lag are those since the last one. With `columns` it starts with a bar, and is cut to stay
    /// below that width: a terminal that wraps cannot take a line back.
    package mutating func text(_ tally: Tally, _ progress: Simulator.Progress, columns: Int? = nil) -> String {
        let answered = tally.answered
        let took = max(0.001, progress.elapsed.inSeconds - elapsedBefore.inSeconds)
        let news = answered - answeredBefore
        let rate = Double(news) / took
        let lag_ms = news > 0 ? (tally.lag_seconds - lagBefore) / Double(news) * 1_000 : 0
        (answeredBefore, lagBefore, elapsedBefore) = (answered, tally.lag_seconds, progress.elapsed)
        // What matters most comes first: a narrow terminal cuts the end.
        var line = "\(Int(rate.rounded()))/s  left \(Self.clock(progress.left))  answered \(Self.statuses(tally))"
        line += "  lag \(Int(lag_ms)) ms"
        if tally.retried > 0 { line += "  retried \(tally.retried)" }
        if tally.lost > 0 { line += "  given up \(tally.lost)" }
        if news == 0, progress.waiting > 0, let problem = tally.problem { line += "  (\(problem))" }
        guard let columns else { return "\(Self.percent(progress))  \(line)" }
        return String((Self.bar(progress, columns: columns) + line).prefix(max(0, columns - 1)))
    }

    /// `[#####-----]  50%  `; without the bar where there is no room for it.
    private static func bar(_ progress: Simulator.Progress, columns: Int) -> String {
        let width = min(Width.bar_max, columns - Width.words)
        guard width >= Width.bar_min else { return "\(percent(progress))  " }
        let filled = Int(progress.share * Double(width))
        let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
        return "[\(bar)] \(percent(progress))  "
    }

    /// Always four characters, rounded down: 100 only at the end.
    private static func percent(_ progress: Simulator.Progress) -> String {
        let text = "\(Int(progress.share * 100))%"
        return String(repeating: " ", count: max(0, 4 - text.count)) + text
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
