/// The output of `lkpush check`, line by line.
package struct CheckOutput: Sendable, CustomStringConvertible {
    /// A finding: a line of three parts, with two blanks or more between them.
    package struct Finding: Sendable, Equatable, CustomStringConvertible {
        /// `ok`, `warning` or `error`.
        package let mark: String
        package let subject: String
        package let text: String

        package var description: String { "\(mark)  \(subject)  \(text)" }
    }

    package let status: Int32
    package let output: String
    package let findings: [Finding]

    package init(status: Int32, output: String) {
        self.status = status
        self.output = output
        findings = output.split(separator: "\n").compactMap { line in
            guard let mark = ["ok", "warning", "error"].first(where: { line.hasPrefix($0 + " ") }) else { return nil }
            let rest = line.dropFirst(mark.count).drop { $0 == " " }
            let parts = rest.split(separator: "  ", maxSplits: 1)
            guard parts.count == 2 else { return nil }
            return Finding(mark: mark, subject: String(parts[0]), text: String(parts[1]))
        }
    }

    /// Runs `lkpush check` in a folder of a test.
    ///
    /// - Parameters:
    ///   - changes: variables besides those of `BuiltProgram`.
    ///   - words: more words of the command line.
    ///   - wrapper: a command that runs the program, such as `setpriv` with its arguments.
    package init(
        in folder: TemporaryFolder, _ changes: [String: String] = [:], _ words: [String] = [], by wrapper: [String] = []
    ) {
        let command = wrapper + [BuiltProgram.executable, "check"] + words
        let (status, output) = ChildProcess.run(
            command[0], Array(command.dropFirst()),
            environment: BuiltProgram.environment(folder).merging(changes) { $1 })
        self.init(status: status, output: output)
    }

    /// The findings about a subject.
    package func about(_ subject: String) -> [Finding] { findings.filter { $0.subject == subject } }

    package var description: String { "status \(status)\n\(output)" }
}
