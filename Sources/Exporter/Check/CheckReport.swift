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
        print("\(mark.rawValue)\(blanks)  \(Self.harmless(subject))  \(Self.harmless(text))")
    }

    private static let width = Mark.flaw.rawValue.count

    /// The text on one line, with single blanks, and without characters that a terminal obeys. The excerpt spells out
    /// those above ASCII.
    private static func harmless(_ text: String) -> String {
        let line = Check.plain(text).excerpt(characters: 8_000).unicodeScalars.map { $0.value < 32 ? "?" : $0 }
        return String(String.UnicodeScalarView(line))
    }
}
