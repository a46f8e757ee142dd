package import Platform

/// Reads settings from an environment, one call per setting, and collects all problems.
///
/// The calls are the table of settings: `lkpush help`, `lkpush check` and the article *Settings* list what is read
/// here. A setting that cannot be read gets its default, so that reading goes on. The result must not be used if there
/// are `problems`.
package struct SettingsReader {
    /// A row of the table of settings.
    package struct Row: Sendable, Equatable {
        package let name: String
        /// The default as text; empty if there is none.
        package let standard: String
        package let help: String
        package let isSecret: Bool
        /// The value in effect, masked for a secret.
        package var effective: String

        /// True if the name stands for those of several variables: it holds `<NAME>`.
        package var isPattern: Bool { name.contains("<") }
    }

    package private(set) var rows: [Row] = []
    /// Problems that make the configuration unusable, each with what was expected.
    package private(set) var problems: [String] = []
    /// Settings that work, but probably not as they were meant.
    package private(set) var warnings: [String] = []
    /// True if a destination has a name that cannot be used, so that nobody knows which variables are meant for it.
    var hasUnreadDestinations = false
    /// True if the log goes to a terminal.
    let isTerminal: Bool
    /// Names and values, both trimmed.
    private var environment: [String: String] = [:]
    private var trimmedNames: Set<String> = []
    private var doubledNames: Set<String> = []
    private var trimmedValues: Set<String> = []
    /// Names whose values are wrong for any use.
    private var unsound: Set<String> = []

    /// Takes the variables. An empty value counts as absent.
    package init(_ environment: [String: String], isTerminal: Bool = false) {
        self.isTerminal = isTerminal
        for (given, value) in environment where !value.isEmpty {
            let name = PlainText.trimmed(given)
            if name != given {
                trimmedNames.insert(name)
                if environment[name]?.isEmpty == false || self.environment[name] != nil {
                    doubledNames.insert(name)
                    continue
                }
            }
            let text = PlainText.trimmed(value)
            if !text.utf8.elementsEqual(value.utf8) { trimmedValues.insert(name) }
            self.environment[name] = text
        }
    }

    /// Adds a problem. It is left out if it follows from a value that was reported as wrong already.
    package mutating func report(_ problem: String) {
        if !unsound.contains(where: { problem.hasPrefix("\($0): ") }) { problems.append(problem) }
    }

    /// Adds a warning.
    package mutating func warn(_ warning: String) { warnings.append(warning) }

    /// The names of all variables, sorted.
    var givenNames: [String] { environment.keys.sorted() }

    /// All variables, trimmed: for what other programs name, such as proxies.
    var variables: [String: String] { environment }

    /// True if the variable has a value.
    package func isSet(_ name: String) -> Bool { environment[name] != nil }

    /// Replaces the value that the table shows for the setting that was read last.
    mutating func showLast(as effective: String) { rows[rows.count - 1].effective = effective }

    /// Adds rows for the table that stand for the variables of several names. None of them is in effect.
    mutating func addPattern(_ pattern: [Row]) {
        for var row in pattern {
            row.effective = ""
            rows.append(row)
        }
    }

    // MARK: One function per kind of setting

    /// Reads a text. It is empty if the variable is not set and has no default.
    package mutating func text(
        _ name: String, _ standard: String = "", as use: PlainText.Use = .line, _ help: String
    ) -> String {
        value(name, standard, as: use, help, fallback: standard, expected: "text") { $0 }
    }

    /// Reads a text that may hold a password. It is shown masked.
    package mutating func secretText(_ name: String, _ help: String) -> SecretSource? {
        let fileName = name + "_FILE"
        let source: SecretSource?
        switch (given(name, as: .token), given(fileName, as: .line)) {
        case (.some, .some(let path)):
            report("\(name) and \(fileName) are both set: give one")
            source = .file(path)
        case (.some(let text), nil): source = .value(Secret(text))
        case (nil, .some(let path)):
            source = .file(path)
            do throws(SecretSource.SecretError) {
                _ = try SecretSource.file(path).read()
            } catch {
                report("\(fileName): \(error)")
            }
        case (nil, nil): source = nil
        }
        let effective =
            switch source {
            case .value: "••••"
            case .file(let path): "•••• (from \(path))"
            case nil: ""
            }
        rows.append(
            Row(name: name, standard: "", help: help + " Or `\(fileName)`.", isSecret: true, effective: effective))
        return source
    }

    /// Reads `true` or `false`, or a usual word for them.
    package mutating func flag(_ name: String, _ standard: Bool, _ help: String) -> Bool {
        value(name, "\(standard)", help, fallback: standard, expected: "true or false") {
            switch $0.lowercased() {
            case "true", "1", "yes", "on": true
            case "false", "0", "no", "off": false
            default: nil
            }
        }
    }

    /// Reads a whole number within a range.
    package mutating func number(_ name: String, _ standard: Int, in range: ClosedRange<Int>, _ help: String) -> Int {
        value(
            name, "\(standard)", help, fallback: standard,
            expected: "a whole number from \(range.lowerBound) to \(range.upperBound)"
        ) { Int($0).flatMap { range.contains($0) ? $0 : nil } }
    }

    /// Reads a duration with its unit, within a range.
    package mutating func duration(
        _ name: String, _ standard: String, in range: ClosedRange<Duration>, _ help: String
    ) -> Duration {
        value(
            name, standard, help, fallback: UnitText.duration(standard) ?? range.lowerBound,
            expected: "a duration such as 500ms, 15s, 1m30s, 1h or 90d, "
                + "from \(UnitText.text(range.lowerBound)) to \(UnitText.text(range.upperBound))"
        ) { UnitText.duration($0).flatMap { range.contains($0) ? $0 : nil } }
    }

    /// Reads a size with its unit, within a range.
    package mutating func size(
        _ name: String, _ standard: String, in range: ClosedRange<ByteCount>, _ help: String
    ) -> ByteCount {
        value(
            name, standard, help, fallback: UnitText.size(standard) ?? range.lowerBound,
            expected: "a size such as 512KiB, 4MiB or 1GiB, from \(range.lowerBound) to \(range.upperBound)"
        ) { UnitText.size($0).flatMap { range.contains($0) ? $0 : nil } }
    }

    /// Reads one of the raw values of an enumeration, or another usual word for one, in any case.
    package mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, _ standard: Choice, _ help: String, also words: [String: Choice] = [:]
    ) -> Choice {
        let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        let choice = value(name, standard.rawValue, help, fallback: standard, expected: "one of \(names)") { text in
            Choice.allCases.first { $0.rawValue.lowercased() == text.lowercased() } ?? words[text.lowercased()]
        }
        if isSet(name) { showLast(as: choice.rawValue) }
        return choice
    }

    /// Reads pairs such as `k=v,k2=v2`, in order. A value may hold `=`, but no comma.
    package mutating func pairs(
        _ name: String, _ help: String, check: (String, String) -> String? = { _, _ in nil }
    ) -> [(name: String, value: String)] {
        var problem: String?
        let parsed: [(name: String, value: String)] = value(
            name, "", help, fallback: [], expected: "pairs such as k=v,k2=v2"
        ) { text in
            let pairs = PlainText.pairs(text)
            for (key, value) in pairs ?? [] { problem = problem ?? check(key, value) }
            return pairs
        }
        if let problem { report("\(name): \(problem)") }
        return parsed
    }

    /// Reads a setting that is no secret. All functions above end here.
    package mutating func value<Value>(
        _ name: String, _ standard: String, as use: PlainText.Use = .line, _ help: String, fallback: Value,
        expected: String, _ parse: (String) -> Value?
    ) -> Value {
        let given = given(name, as: use)
        rows.append(
            Row(name: name, standard: standard, help: help, isSecret: false, effective: given ?? standard))
        guard let given else { return fallback }
        if let value = parse(given) { return value }
        report("\(name): expected \(expected), got \"\(given)\"")
        return fallback
    }

    /// The trimmed value of a variable. Faults in it are reported here. Nil if the variable is not set.
    private mutating func given(_ name: String, as use: PlainText.Use) -> String? {
        guard let text = environment[name] else { return nil }
        if doubledNames.contains(name) {
            report("\(name): is there twice, once with invisible characters around its name; give one")
        } else if trimmedNames.contains(name) {
            warn("\(name): invisible characters around its name were left out; set it without them")
        }
        if text.isEmpty {
            report("\(name): holds nothing but blanks; give a value, or leave it out")
            unsound.insert(name)
            return text
        }
        if trimmedValues.contains(name) {
            warn("\(name): blanks or line ends around its value were left out; set it without them, as printf does")
        }
        if let flaw = PlainText.flaw(in: text, as: use) {
            report("\(name): \(flaw)")
            unsound.insert(name)
        }
        return text
    }
}
