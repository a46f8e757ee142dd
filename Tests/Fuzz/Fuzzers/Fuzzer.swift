/// Something that is tried with bytes from nowhere: it traps, or calls `refute`, where a law is broken.
protocol Fuzzer: Sendable {
    /// As in `Corpus/NAME` and on the command line.
    static var name: String { get }
    init()
    func run(_ bytes: [UInt8])
    /// What an input means, for people and for other programs: see `Tests/Fuzz/run`.
    func show(_ bytes: [UInt8]) -> [UInt8]?
}

extension Fuzzer {
    func show(_ bytes: [UInt8]) -> [UInt8]? { nil }
}

/// Ends the run with a finding.
func refute(_ law: String) -> Never { fatalError(law) }

/// A finding where the law does not hold.
func require(_ holds: Bool, _ law: @autoclosure () -> String) {
    if !holds { refute(law()) }
}
