/// The parsed command line. Everything else is configured by environment variables.
package struct CommandLine: Sendable, Equatable {
    /// The command to run.
    package enum Command: Sendable, Equatable {
        case serve
        /// With the name of a room whose organization is looked for; nil for none.
        case check(room: String?)
        case migrate
        /// The arguments after `simulate`, which has flags of its own.
        case simulate([String])
        /// The arguments after `top`, which has flags of its own.
        case top([String])
        case version
        case help
    }

    /// The arguments cannot be understood. `description` gives the reason and a hint.
    package struct CommandFault: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
        package init(description: String) { self.description = description }
    }

    package let command: Command
    /// A file of `NAME=value` lines, whose variables count where the environment has none. Nil without such a file.
    package let environmentFile: String?

    /// - Parameter arguments: the arguments without the program's name.
    package init(_ arguments: [String]) throws(CommandFault) {
        var command: Command?
        var file: String?
        var rest = arguments[...]
        while let word = rest.popFirst() {
            if word == "--env-file" {
                guard let path = rest.popFirst() else { throw CommandFault(description: "--env-file needs a file") }
                file = path
            } else if word.hasPrefix("--env-file=") {
                file = String(word.dropFirst("--env-file=".count))
            } else if ["--help", "-h"].contains(word) {
                command = .help
            } else if word == "--version" {
                command = .version
            } else if case .check = command, word == "--room" {
                guard let room = rest.popFirst() else { throw CommandFault(description: "--room needs a name") }
                command = .check(room: room)
            } else if case .check = command, word.hasPrefix("--room=") {
                command = .check(room: String(word.dropFirst("--room=".count)))
            } else if command != nil {
                throw CommandFault(description: "\(word): one command at a time; see lkpush help")
            } else if word == "simulate" {
                command = .simulate(Array(rest))
                rest = []
            } else if word == "top" {
                command = .top(Array(rest))
                rest = []
            } else {
                command = try Self.command(word)
            }
        }
        self.command = command ?? .serve
        environmentFile = file
    }

    private static let words: [(word: String, command: Command)] = [
        ("serve", .serve), ("check", .check(room: nil)), ("migrate", .migrate), ("version", .version), ("help", .help),
    ]

    private static func command(_ word: String) throws(CommandFault) -> Command {
        if let known = words.first(where: { $0.word == word }) { return known.command }
        let near = (words.map(\.word) + ["simulate", "top", "--env-file", "--help", "--version"])
            .min { EditDistance.between(word, $0) < EditDistance.between(word, $1) }
        let hint = near.flatMap { EditDistance.between(word, $0) <= 2 ? "; is \($0) meant?" : nil } ?? ""
        let settings = word.hasPrefix("-") ? "; settings are environment variables" : ""
        throw CommandFault(description: "\(word): no such command\(hint)\(settings); see lkpush help")
    }
}
