import Wire

/// A line that shows the progress of a run.
package struct ProgressLine {
    private enum Width {
        /// The shortest useful bar. A shorter one says less than the words that it would displace.
        static let bar_min = 10
        static let bar_max = 40
        /// The usual length of the words in a line, so that the length of the bar does not change with them.
        static let words = 64
    }

    /// The time over which rate and lag are measured; the time since the previous line if that is longer.
    private static let window = Duration.seconds(2)

    private struct Mark {
        var elapsed = Duration.zero
        var answered = 0
        var lag_seconds = 0.0
    }

    /// The marks in the window, preceded by the one before it.
    private var marks = [Mark()]

    package init() {}

    /// Returns the line. Rate and lag are those of the last seconds. With `columns` it starts with a bar and is cut to
    /// stay below that width, because a terminal cannot overwrite a line that it has wrapped.
    package mutating func text(_ tally: Tally, _ progress: Simulator.Progress, columns: Int? = nil) -> String {
        let mark = Mark(elapsed: progress.elapsed, answered: tally.answered, lag_seconds: tally.lag_seconds)
        while marks.count > 1, mark.elapsed - marks[1].elapsed >= Self.window { marks.removeFirst() }
        let took = max(0.001, (mark.elapsed - marks[0].elapsed).inSeconds)
        let news = mark.answered - marks[0].answered
        let rate = Double(news) / took
        let lag_ms = news > 0 ? (mark.lag_seconds - marks[0].lag_seconds) / Double(news) * 1_000 : 0
        marks.append(mark)
        // The most important words come first, because a narrow terminal cuts the end.
        let isDue = progress.left == .zero && progress.waiting > 0
        let rest = isDue ? "waiting \(progress.waiting)" : "left \(Self.clock(progress.left))"
        var line = "\(Int(rate.rounded()))/s  \(rest)  answered \(Self.statuses(tally))"
        line += "  lag \(Int(lag_ms)) ms"
        if tally.retried > 0 { line += "  retried \(tally.retried)" }
        if tally.lost > 0 { line += "  given up \(tally.lost)" }
        if news == 0, progress.waiting > 0, let problem = tally.problem { line += "  (\(problem))" }
        guard let columns else { return "\(Self.percent(progress))  \(line)" }
        return String((Self.bar(progress, columns: columns) + line).prefix(max(0, columns - 1)))
    }

    /// Returns `[#####-----] 50% `, without the bar if there is no room for it.
    private static func bar(_ progress: Simulator.Progress, columns: Int) -> String {
        let width = min(Width.bar_max, columns - Width.words)
        guard width >= Width.bar_min else { return "\(percent(progress))  " }
        let filled = Int(progress.share * Double(width))
        let bar = String(repeating: "#", count: filled) + String(repeating: "-", count: width - filled)
        return "[\(bar)] \(percent(progress))  "
    }

    /// Returns always four characters, rounded down: 100 only at the end.
    private static func percent(_ progress: Simulator.Progress) -> String {
        let text = "\(Int(progress.share * 100))%"
        return String(repeating: " ", count: max(0, 4 - text.count)) + text
    }

    static func statuses(_ tally: Tally) -> String {
        guard !tally.statuses.isEmpty else { return "0" }
        return tally.statuses.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }.joined(separator: ", ")
    }

    /// Returns a text such as `1:05` or `2:00:05`.
    static func clock(_ duration: Duration) -> String {
        let seconds = duration.components.seconds
        let padded = { (number: Int64) in number < 10 ? "0\(number)" : "\(number)" }
        let minutes = seconds / 60 % 60
        return seconds < 3_600
            ? "\(minutes):\(padded(seconds % 60))" : "\(seconds / 3_600):\(padded(minutes)):\(padded(seconds % 60))"
    }
}
