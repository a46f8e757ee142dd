/// The median of ratios between two sides that were measured in turn.
struct PairedRatio {
    /// Of the other side's figures, one that is further from their median by this share was disturbed.
    private static let disturbance = 0.15

    let median: Double
    /// The pairs that count, of all.
    let kept: Int
    let all: Int

    /// Makes it from figures of the same rounds. A pair is thrown away if the figure of the other side was disturbed.
    init(_ ours: [Double], to theirs: [Double]) {
        let usual = theirs.percentile(0.5)
        let ratios = zip(ours, theirs).filter { abs($0.1 - usual) <= Self.disturbance * usual }.map { $0.0 / $0.1 }
        median = ratios.isEmpty ? .nan : ratios.percentile(0.5)
        kept = ratios.count
        all = ours.count
    }
}
