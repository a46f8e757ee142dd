/// The arguments of one command, read by its declaration: `--name value` or `--name=value`, and words without a name.
///
/// A word that begins with two dashes is never taken for the value of the flag before it: such a value is written with
/// an equals sign. After `--` no word is a flag.
package struct CommandArguments: Sendable {
    private var values: [String: [String]] = [:]
    private let standards: [String: String]
    /// The argument without a name.
    package private(set) var argument: String?
    /// A sentence for each mistake.
    package private(set) var problems: [String] = []

    /// - Parameter arguments: the words after the command.
    package init(_ arguments: [String], _ syntax: CommandSyntax) {
        let seeHelp = "See lkpush \(syntax.name) --help"
        standards = Dictionary(syntax.flags.map { ($0.name, $0.standard) }) { first, _ in first }
        var rest = arguments[...]
        var mayBeFlag = true
        while let word = rest.popFirst() {
            if mayBeFlag && word == "--" {
                mayBeFlag = false
            } else if mayBeFlag && word.hasPrefix("-") && word != "-" {
                readFlag(word, &rest, syntax, seeHelp)
            } else if let expected = syntax.argument {
                if argument != nil { problems.append("\(PlainText.shown(word)): one \(expected.name) at a time") }
                argument = word
            } else if syntax.flags.isEmpty {
                problems.append("\(PlainText.shown(word)): lkpush \(syntax.name) takes no argument. \(seeHelp)")
            } else {
                problems.append("\(PlainText.shown(word)): expected a flag. \(seeHelp)")
            }
        }
        for flag in syntax.flags {
            guard case .words(let words) = flag.value, let text = self[flag.name], !words.contains(text) else {
                continue
            }
            problems.append("\(flag.name) \(PlainText.shown(text)): expected \(words.joined(separator: " or "))")
        }
        guard let expected = syntax.argument else { return }
        if let argument {
            if !expected.words.isEmpty, !expected.words.contains(argument) {
                let hint = NearestWord.hint(for: argument, among: expected.words)
                let all = expected.words.count <= 3 ? expected.words.joined(separator: " or ") : "a command"
                problems.append("\(PlainText.shown(argument)): expected \(all).\(hint) \(seeHelp)")
            }
        } else if expected.isRequired {
            problems.append("\(expected.name) is missing. \(seeHelp)")
        }
    }

    private mutating func readFlag(
        _ word: String, _ rest: inout ArraySlice<String>, _ syntax: CommandSyntax, _ seeHelp: String
    ) {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = parts[0]
        var next: String? { rest.first.flatMap { $0.hasPrefix("--") ? nil : $0 } }
        guard let flag = syntax.flags.first(where: { $0.name == name || $0.letter == name }) else {
            let known = syntax.flags.map(\.name) + CommandFlag.common.map(\.name)
            problems.append(
                "\(PlainText.shown(name)): no such flag.\(NearestWord.hint(for: name, among: known)) \(seeHelp)")
            // The value of an unknown flag is not reported as another mistake.
            if parts.count == 1, syntax.argument == nil, next != nil { rest.removeFirst() }
            return
        }
        if flag.value == .none {
            if parts.count > 1 { problems.append("\(name): takes no value") }
            values[flag.name, default: []].append("")
        } else if parts.count > 1 {
            values[flag.name, default: []].append(parts[1])
        } else if let value = next {
            values[flag.name, default: []].append(value)
            rest.removeFirst()
        } else {
            problems.append("\(name): needs a value")
        }
    }

    /// The value of a flag, or its declared default. The last one counts.
    package func value(_ flag: String) -> String { values[flag]?.last ?? standards[flag] ?? "" }

    /// The value of a flag. Nil if it is not given. The last one counts.
    package subscript(flag: String) -> String? { values[flag]?.last }

    /// All values of a flag that may be given several times.
    package func all(_ flag: String) -> [String] { values[flag] ?? [] }
}
