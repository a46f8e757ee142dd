import Platform

/// The parsed command line. Everything else is configured by environment variables.
package struct CommandLine: Sendable, Equatable {
    /// The command to run.
    package enum Command: Sendable, Equatable {
        case serve
        /// With the name of a room whose organization is looked for; nil for none.
        case check(room: String?)
        case migrate
        /// With where the journal goes. A trial moves nothing.
        case migrateJournal(JournalMove.Direction, isTrial: Bool)
        /// Makes the settings of this command the ones that lead the shared journal.
        case adoptJournal
        case report(UsageOptions)
        /// The arguments after `simulate`, which has flags of its own.
        case simulate([String])
        /// The arguments after `top`, which has flags of its own.
        case top([String])
        case completion(Shell)
        case manual
        case version
        /// The help of one command, or of the program.
        case help(of: String?)
    }

    /// The arguments cannot be understood. `description` has a line for each mistake, with a hint.
    package struct CommandFault: Error, Sendable, Equatable, CustomStringConvertible {
        package let description: String
        package init(description: String) { self.description = description }
    }

    package let command: Command
    /// A file of `NAME=value` lines, whose variables count where the environment has none. Nil without such a file.
    package let environmentFile: String?

    /// Flags that all commands have may stand before and after the command.
    ///
    /// - Parameter arguments: the arguments without the program's name.
    package init(_ arguments: [String]) throws(CommandFault) {
        var name: String?
        var own: [String] = []
        var file: String?
        var (wantsHelp, wantsVersion) = (false, false)
        var rest = arguments[...]
        while let word = rest.popFirst() {
            if word == "--" {
                own += [word] + rest
                rest = []
            } else if word == CommandFlag.environmentFile.name {
                guard let path = rest.popFirst(), !path.isEmpty else { throw Self.noFile }
                file = path
            } else if word.hasPrefix("\(CommandFlag.environmentFile.name)=") {
                file = String(word.dropFirst(CommandFlag.environmentFile.name.count + 1))
                if file == "" { throw Self.noFile }
            } else if Self.isGiven(.showHelp, word) {
                wantsHelp = true
            } else if Self.isGiven(.showVersion, word) {
                wantsVersion = true
            } else if name == nil {
                guard Commands.names.contains(word) else { throw Self.unknown(word) }
                name = word
            } else {
                own.append(word)
            }
        }
        environmentFile = file
        if wantsHelp {
            // `lkpush help check --help` is about `check`.
            let subject = name == "help" ? own.first : name
            command = try Self.command("help", subject.map { [$0] } ?? [])
        } else if wantsVersion {
            command = .version
        } else {
            command = try Self.command(name ?? "serve", own)
        }
    }

    private static let noFile = CommandFault(description: "\(CommandFlag.environmentFile.name) needs a file")

    private static func isGiven(_ flag: CommandFlag, _ word: String) -> Bool {
        word == flag.name || word == flag.letter
    }

    private static func command(_ name: String, _ words: [String]) throws(CommandFault) -> Command {
        switch name {
        case "simulate": return .simulate(words)
        case "top": return .top(words)
        default: break
        }
        guard let syntax = Commands.own.first(where: { $0.name == name }) else {
            preconditionFailure("each command has a declaration")
        }
        let arguments = CommandArguments(words, syntax)
        guard arguments.problems.isEmpty else {
            throw CommandFault(description: arguments.problems.joined(separator: "\n"))
        }
        switch name {
        case "serve": return .serve
        case "check":
            if arguments["--room"] == "" { throw CommandFault(description: "--room needs the name of a room") }
            return .check(room: arguments["--room"])
        case "migrate": return .migrate
        case "migrate-journal":
            let directions = [("--to-shared", JournalMove.Direction.toShared), ("--to-embedded", .toEmbedded)]
                .filter { arguments[$0.0] != nil }
            let adopts = arguments["--adopt"] != nil
            guard directions.count + (adopts ? 1 : 0) == 1 else {
                throw CommandFault(description: "migrate-journal needs one of --to-shared, --to-embedded and --adopt")
            }
            guard let (_, direction) = directions.first else { return .adoptJournal }
            return .migrateJournal(direction, isTrial: arguments["--dry-run"] != nil)
        case "report": return .report(try UsageOptions(arguments))
        case "completion":
            guard let shell = arguments.argument.flatMap(Shell.init(rawValue:)) else {
                preconditionFailure("the declaration names the shells")
            }
            return .completion(shell)
        case "man": return .manual
        case "version": return .version
        case "help": return .help(of: arguments.argument)
        default: preconditionFailure("each command is read")
        }
    }

    private static func unknown(_ word: String) -> CommandFault {
        let isFlag = word.hasPrefix("-")
        let name = isFlag ? String(word.prefix { $0 != "=" }) : word
        let known = isFlag ? CommandFlag.common.map(\.name) : Commands.names
        // Other programs write -v for the version.
        let letter = CommandFlag.common.first { $0.letter?.lowercased() == word.lowercased() }
        let hint = NearestWord.hint(for: letter?.name ?? name, among: known)
        let settings = isFlag ? " Settings are environment variables." : ""
        let what = isFlag ? "no such flag" : "no such command"
        return CommandFault(description: "\(PlainText.shown(word)): \(what).\(hint)\(settings) See lkpush help")
    }
}
