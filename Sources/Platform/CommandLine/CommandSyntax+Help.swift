extension CommandSyntax {
    /// The width of a terminal that has always been there.
    package static let columns = 80

    /// The output of `--help`, at most 80 columns wide.
    package var help: String {
        var lines = Self.wrapped("lkpush \(name): \(summary)", indent: 0)
        lines += [""] + Self.wrapped(parts: usage, after: "usage: ") + [""]
        if let argument {
            var sentence = argument.help
            if !argument.words.isEmpty { sentence += " One of: \(argument.words.joined(separator: ", "))." }
            lines += Self.table([(argument.name, sentence)]) + [""]
        }
        lines += Self.table(
            allFlags.map { ($0.letter.map { "\($0), " } ?? "", $0) }.map { ($0 + $1.form, $1.sentence) })
        for note in notes { lines += [""] + Self.wrapped(note, indent: 0) }
        if !exits.isEmpty { lines += ["", "Exit status:"] + Self.table(exits.map { ($0.status, $0.meaning) }) }
        return lines.joined(separator: "\n") + "\n"
    }

    /// Two columns. The text of a row whose first column is wide begins on the next line.
    package static func table(_ rows: [(left: String, right: String)]) -> [String] {
        let widest = 24
        let width = rows.map(\.left.count).filter { $0 <= widest }.max() ?? 0
        return rows.flatMap { row -> [String] in
            let text = wrapped(row.right, indent: width + 4)
            guard row.left.count <= width, let first = text.first else { return ["  \(row.left)"] + text }
            let blank = String(repeating: " ", count: width - row.left.count + 2)
            return ["  \(row.left)\(blank)\(first.dropFirst(width + 4))"] + text.dropFirst()
        }
    }

    /// The words of a text in lines of at most 80 columns. A line is longer only if a single word is.
    package static func wrapped(_ text: String, indent: Int) -> [String] {
        wrapped(parts: text.split(separator: " ").map(String.init), after: "", indent: indent)
    }

    private static func wrapped(parts: [String], after beginning: String, indent: Int? = nil) -> [String] {
        let blank = String(repeating: " ", count: indent ?? beginning.count)
        var lines: [String] = []
        var line = beginning.isEmpty ? blank : beginning
        var isEmpty = true
        for part in parts {
            if !isEmpty, line.count + 1 + part.count > columns {
                lines.append(line)
                (line, isEmpty) = (blank, true)
            }
            line += isEmpty ? part : " " + part
            isEmpty = false
        }
        return isEmpty ? lines : lines + [line]
    }
}
