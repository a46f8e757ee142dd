import Platform

/// The findings of `lkpush check`, printed as they come: a line each, with its mark, its subject and the text.
///
/// Lines are for people and for scripts: two blanks or more stand between the three parts, and nowhere else.
struct CheckReport {
    /// The weight of a finding. The raw value is the first word of its line.
    enum Mark: String, Sendable, CaseIterable {
        case ok
        /// lkpush works, and something should be better.
        case flaw = "warning"
        /// lkpush does not start, or loses something.
        case fault = "error"
    }

    /// False after an error.
    private(set) var isGood = true
    private let print: (String) -> Void

    init(print: @escaping (String) -> Void = { Terminal.printLine($0) }) { self.print = print }

    /// Prints a finding: what is, and what to do.
    mutating func tell(_ mark: Mark, _ subject: String, _ text: String) {
        if mark == .fault { isGood = false }
        let blanks = String(repeating: " ", count: Self.width - mark.rawValue.count)
        print("\(mark.rawValue)\(blanks)  \(Self.oneLine(subject))  \(Self.oneLine(text))")
    }

    private static let width = Mark.flaw.rawValue.count

    private static func oneLine(_ text: String) -> String { Check.oneLine(text, characters: 8_000) }
}
