/// A row of bars, one column each.
enum Sparkline {
    private static let blocks: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
    private static let letters: [Character] = ["_", ".", "-", "=", "+", "*", "#", "@"]

    /// Draws points, the oldest first. Each column has the highest of its points; one that is not known leaves a gap.
    /// The bars begin at 0, and the highest point reaches the top.
    static func text(_ points: [Double?], columns: Int, isUnicode: Bool) -> String {
        let steps = isUnicode ? blocks : letters
        let highest = most(points) ?? 0
        let width = min(columns, points.count)
        guard width > 0 else { return "" }
        let bars = (0..<width).map { column -> Character in
            let part = points[column * points.count / width..<(column + 1) * points.count / width]
            guard let value = most(part) else { return " " }
            guard highest > 0, value > 0 else { return steps[0] }
            return steps[min(steps.count - 1, Int(value / highest * Double(steps.count)))]
        }
        return String(bars)
    }

    /// The highest point that is known.
    static func most(_ points: some Sequence<Double?>) -> Double? {
        points.compactMap { $0 }.filter(\.isFinite).max()
    }
}
