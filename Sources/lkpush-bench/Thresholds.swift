/// The most that each case may allocate per operation. Lower one whenever the code allows it; raising one wants a
/// reason in the commit.
enum Thresholds {
    static let allocations: [String: Double] = [:]
}
