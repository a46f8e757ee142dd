import Platform

/// The variables in a value of an environment file: `$NAME`, `${NAME}`, and `${NAME:-default}` with its relatives.
/// https://docs.docker.com/reference/compose-file/interpolation/
struct EnvironmentVariables {
    /// The value cannot be read. The texts of faults show nothing of it that may be a part of a secret.
    enum Fault: Error, CustomStringConvertible {
        case unknown
        case nested
        /// The value says that the variable is needed, and may give a reason.
        case missing(name: String, reason: String)

        var description: String {
            switch self {
            case .unknown:
                "$ is followed by what is no variable that is set; for a dollar sign write $$, or put the value into "
                    + "single quotes"
            case .nested: "more than \(Limits.depth) variables stand in the defaults of each other"
            case .missing(let name, let reason):
                "\(PlainText.shown(name)) has no value"
                    + (reason.isEmpty ? "" : ": \(Check.oneLine(reason, characters: 200))")
            }
        }
    }

    private enum Limits {
        /// Each level is a call within the one before.
        static let depth = 20
    }

    /// The value of a variable; nil if it is not set.
    let lookUp: (String) -> String?

    /// Replaces variables by their values, and `$$` by a dollar sign.
    func expanded(_ value: ArraySlice<Unicode.Scalar>, depth: Int = 0) throws(Fault) -> String {
        guard depth <= Limits.depth else { throw .nested }
        var result = ""
        var rest = value
        while let next = rest.popFirst() {
            guard next == "$", let after = rest.first else {
                result.unicodeScalars.append(next)
                continue
            }
            if after == "$" {
                rest.removeFirst()
                result += "$"
            } else if after == "{" {
                guard let end = Self.end(ofBracesIn: rest) else { throw .unknown }
                result += try braced(rest[(rest.startIndex + 1)..<end], depth)
                rest = rest[(end + 1)...]
            } else if Self.isNameStart(after) {
                let name = rest.prefix(while: Self.isNamePart)
                guard let known = lookUp(Self.text(name)) else { throw .unknown }
                result += known
                rest = rest.dropFirst(name.count)
            } else {
                result += "$"
            }
        }
        return result
    }

    /// The text between braces: a name, and perhaps an operator with its operand. Only an operand that is used is
    /// expanded.
    private func braced(_ inside: ArraySlice<Unicode.Scalar>, _ depth: Int) throws(Fault) -> String {
        let letters = inside.prefix(while: Self.isNamePart)
        guard let first = letters.first, Self.isNameStart(first) else { throw .unknown }
        let name = Self.text(letters)
        var known = lookUp(name)
        var rest = inside.dropFirst(letters.count)
        guard !rest.isEmpty else {
            guard let known else { throw .unknown }
            return known
        }
        if rest.first == ":" {
            // The operators with a colon take an empty value for none.
            rest.removeFirst()
            if known == "" { known = nil }
        }
        switch rest.popFirst() {
        case "-":
            if let known { return known }
            return try expanded(rest, depth: depth + 1)
        case "+":
            if known == nil { return "" }
            return try expanded(rest, depth: depth + 1)
        case "?":
            if let known { return known }
            let reason = try expanded(rest, depth: depth + 1)
            throw .missing(name: name, reason: reason)
        default: throw .unknown
        }
    }

    /// The index of the brace that closes the first one.
    private static func end(ofBracesIn text: ArraySlice<Unicode.Scalar>) -> Int? {
        var open = 0
        for index in text.indices {
            if text[index] == "{" { open += 1 }
            if text[index] == "}" { open -= 1 }
            if open == 0 { return index }
        }
        return nil
    }

    // MARK: Characters

    private static func text(_ scalars: some Sequence<Unicode.Scalar>) -> String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: scalars)
        return String(text)
    }

    static func isNameStart(_ scalar: Unicode.Scalar) -> Bool {
        ("A"..."Z").contains(scalar) || ("a"..."z").contains(scalar) || scalar == "_"
    }

    static func isNamePart(_ scalar: Unicode.Scalar) -> Bool {
        isNameStart(scalar) || ("0"..."9").contains(scalar)
    }
}
