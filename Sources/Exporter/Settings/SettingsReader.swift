package import Platform

/// Reads settings from an environment, one call per setting, and collects every problem on the way.
///
/// The calls are the table: what is read here is what `lkpush help`, `lkpush check` and the README list. A setting
/// that cannot be read takes its default so that reading goes on; nothing may use the result while `problems` has any.
package struct SettingsReader {
    /// One line of the table.
    package struct Row: Sendable, Equatable {
        package let name: String
        /// As text; empty where there is none.
        package let standard: String
        package let help: String
        package let isSecret: Bool
        /// What is in effect, masked where secret.
        package var effective: String
    }

    package private(set) var rows: [Row] = []
    package private(set) var problems: [String] = []
    private let environment: [String: String]

    /// An empty value counts as absent.
    package init(_ environment: [String: String]) {
        self.environment = environment.filter { !$0.value.isEmpty }
    }

    /// Adds a problem that no single value shows.
    package mutating func report(_ problem: String) { problems.append(problem) }

    /// Whether the variable was given a value.
    package func isSet(_ name: String) -> Bool { environment[name] != nil }

    /// What the table shows as the value of the setting that was read last.
    mutating func showLast(as effective: String) { rows[rows.count - 1].effective = effective }

    // MARK: One function per kind of setting

    /// Text; the empty string where it is not set and has no default.
    package mutating func text(_ name: String, _ standard: String = "", _ help: String) -> String {
        value(name, standard, help, fallback: standard, expected: "text") { $0 }
    }

    /// Text that may hold a password: shown masked.
    package mutating func secretText(_ name: String, _ help: String) -> SecretSource? {
        let fileName = name + "_FILE"
        let source: SecretSource?
        switch (environment[name], environment[fileName]) {
        case (.some, .some(let path)):
            report("\(name) and \(fileName) are both set: give one")
            source = .file(path)
        case (.some(let text), nil): source = .value(Secret(text))
        case (nil, .some(let path)):
            source = .file(path)
            do throws(SecretSource.Unreadable) {
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

    /// `true` or `false`, and what people write for them.
    package mutating func flag(_ name: String, _ standard: Bool, _ help: String) -> Bool {
        value(name, "\(standard)", help, fallback: standard, expected: "true or false") {
            switch $0.lowercased() {
            case "true", "1", "yes", "on": true
            case "false", "0", "no", "off": false
            default: nil
            }
        }
    }

    /// A whole number within a range.
    package mutating func number(_ name: String, _ standard: Int, in range: ClosedRange<Int>, _ help: String) -> Int {
        value(
            name, "\(standard)", help, fallback: standard,
            expected: "a whole number from \(range.lowerBound) to \(range.upperBound)"
        ) { Int($0).flatMap { range.contains($0) ? $0 : nil } }
    }

    /// A duration with its unit, within a range.
    package mutating func duration(
        _ name: String, _ standard: String, in range: ClosedRange<Duration>, _ help: String
    ) -> Duration {
        value(
            name, standard, help, fallback: UnitText.duration(standard) ?? range.lowerBound,
            expected: "a duration such as 500ms, 15s, 10m, 1h or 90d, "
                + "from \(UnitText.text(range.lowerBound)) to \(UnitText.text(range.upperBound))"
        ) { UnitText.duration($0).flatMap { range.contains($0) ? $0 : nil } }
    }

    /// A size with its unit, within a range.
    package mutating func size(
        _ name: String, _ standard: String, in range: ClosedRange<ByteCount>, _ help: String
    ) -> ByteCount {
        value(
            name, standard, help, fallback: UnitText.size(standard) ?? range.lowerBound,
            expected: "a size such as 512KiB, 4MiB or 1GiB, from \(range.lowerBound) to \(range.upperBound)"
        ) { UnitText.size($0).flatMap { range.contains($0) ? $0 : nil } }
    }

    /// One of the raw values of an enumeration.
    package mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
        _ name: String, _ standard: Choice, _ help: String
    ) -> Choice {
        let names = Choice.allCases.map(\.rawValue).joined(separator: ", ")
        return value(name, standard.rawValue, help, fallback: standard, expected: "one of \(names)") {
            Choice(rawValue: $0)
        }
    }

    /// Pairs such as `k=v,k2=v2`, in order; a value may hold `=`, no comma.
    package mutating func pairs(
        _ name: String, _ help: String, isSecret: Bool = false, check: (String, String) -> String? = { _, _ in nil }
    ) -> [(name: String, value: String)] {
        var problem: String?
        let parsed: [(name: String, value: String)] = value(
            name, "", help, fallback: [], expected: "pairs such as k=v,k2=v2", isSecret: isSecret
        ) { text in
            var pairs: [(name: String, value: String)] = []
            for part in text.split(separator: ",") {
                guard let split = part.firstIndex(of: "=") else { return nil }
                let key = Self.trimmed(part[..<split])
                let value = Self.trimmed(part[part.index(after: split)...])
                guard !key.isEmpty, !pairs.contains(where: { $0.name == key }) else { return nil }
                if let found = check(key, value) { problem = found }
                pairs.append((key, value))
            }
            return pairs
        }
        if let problem { report("\(name): \(problem)") }
        return parsed
    }

    /// Reads any setting: every other function ends here.
    package mutating func value<Value>(
        _ name: String, _ standard: String, _ help: String, fallback: Value, expected: String, isSecret: Bool = false,
        _ parse: (String) -> Value?
    ) -> Value {
        let given = environment[name]
        rows.append(
            Row(
                name: name, standard: standard, help: help, isSecret: isSecret,
                effective: isSecret && given != nil ? "••••" : given ?? standard))
        guard let given else { return fallback }
        if let value = parse(given) { return value }
        report("\(name): expected \(expected), got \(isSecret ? "something else" : "\"\(given)\"")")
        return fallback
    }

    // MARK: What nobody reads

    /// Reports variables that look like a misspelt setting: at least 8 characters, one of our prefixes, and within
    /// edit distance 2 of a name that exists.
    package mutating func reportMisspelt() {
        var known: Set<String> = []
        for row in rows {
            known.insert(row.name)
            if row.isSecret { known.insert(row.name + "_FILE") }
        }
        let prefixes = Set(known.compactMap { $0.split(separator: "_").first.map { $0 + "_" } })
        for name in environment.keys.sorted() where name.utf8.count >= 8 && !known.contains(name) {
            // What Kubernetes injects for every service.
            if name.contains("_SERVICE_") || name.contains("_PORT") { continue }
            guard prefixes.contains(where: { name.hasPrefix($0) }) else { continue }
            let alike = known.filter { abs($0.utf8.count - name.utf8.count) <= 2 }
            let near = alike.map { (name: $0, distance: EditDistance.between(name, $0)) }
                .filter { $0.distance <= 2 }.min { ($0.distance, $0.name) < ($1.distance, $1.name) }
            if let near { report("\(name): no such setting; is \(near.name) meant?") }
        }
    }

    private static func trimmed(_ text: Substring) -> String {
        var text = text
        while text.first == " " { text.removeFirst() }
        while text.last == " " { text.removeLast() }
        return String(text)
    }
}
