/// The declaration of a command: its argument, its flags and its texts.
///
/// The reading of its arguments, its help, the completion of shells and the manual page are all made from it, so that
/// they cannot differ.
package struct CommandSyntax: Sendable {
    /// The word after `lkpush`.
    package let name: String
    /// A line without a full stop.
    package let summary: String
    /// Nil if the command takes flags alone.
    package let argument: CommandArgument?
    package let flags: [CommandFlag]
    /// The command reads settings, so `--env-file` has a meaning for it.
    package let readsSettings: Bool
    /// Paragraphs that follow the flags.
    package let notes: [String]
    /// The exit statuses, each with its meaning.
    package let exits: [(status: String, meaning: String)]

    package init(
        _ name: String, _ summary: String, argument: CommandArgument? = nil, flags: [CommandFlag] = [],
        readsSettings: Bool = true, notes: [String] = [], exits: [(status: String, meaning: String)] = []
    ) {
        self.name = name
        self.summary = summary
        self.argument = argument
        self.flags = flags
        self.readsSettings = readsSettings
        self.notes = notes
        self.exits = exits
    }

    /// The flags of this command and those that it shares with others.
    package var allFlags: [CommandFlag] { flags + (readsSettings ? [.environmentFile] : []) + [.showHelp] }

    /// The command as it is typed, such as `lkpush top [URL] [--once]`.
    package var usage: [String] {
        var parts = ["lkpush \(name)"]
        if let argument { parts.append(argument.isRequired ? argument.name : "[\(argument.name)]") }
        // `--help` goes without saying.
        return parts + allFlags.dropLast().map { "[\($0.form)]" }
    }
}

/// The one argument without a name that a command takes.
package struct CommandArgument: Sendable {
    /// Capital letters that stand for it.
    package let name: String
    /// A sentence.
    package let help: String
    package let isRequired: Bool
    /// All that it may be. Empty for anything.
    package let words: [String]

    package init(_ name: String, _ help: String, isRequired: Bool = false, words: [String] = []) {
        self.name = name
        self.help = help
        self.isRequired = isRequired
        self.words = words
    }
}

/// A flag of a command.
package struct CommandFlag: Sendable {
    /// The text after the flag.
    package enum Value: Sendable, Equatable {
        /// The flag stands alone.
        case none
        /// Any text, for which these capital letters stand.
        case text(String)
        /// The path of a file.
        case file(String)
        /// One of these words.
        case words([String])
    }

    /// The flag with its dashes.
    package let name: String
    /// The same in one letter with its dash. Nil for most flags.
    package let letter: String?
    package let value: Value
    /// A sentence without a full stop, which begins with a small letter.
    package let help: String
    /// The value where the flag is not given. Empty if there is none.
    package let standard: String

    package init(
        _ name: String, letter: String? = nil, _ value: Value, _ help: String, standard: String = ""
    ) {
        precondition(name.hasPrefix("--"), "a flag has two dashes")
        self.name = name
        self.letter = letter
        self.value = value
        self.help = help
        self.standard = standard
    }

    /// A flag without a value.
    package init(_ name: String, letter: String? = nil, _ help: String) {
        self.init(name, letter: letter, .none, help)
    }

    /// The flag and what stands for its value, such as `--room NAME`.
    package var form: String {
        switch value {
        case .none: name
        case .text(let letters), .file(let letters): "\(name) \(letters)"
        case .words(let words): "\(name) \(words.joined(separator: "|"))"
        }
    }

    /// The sentence with the default.
    package var sentence: String { standard.isEmpty ? help : "\(help) (default \(standard))" }

    package static let environmentFile = CommandFlag(
        "--env-file", .file("FILE"), "read NAME=value lines from a file first; the environment wins")
    package static let showHelp = CommandFlag("--help", letter: "-h", "show the help of the command")
    package static let showVersion = CommandFlag("--version", letter: "-V", "show the version")
    /// The flags that may stand before and after every command.
    package static let common = [environmentFile, showHelp, showVersion]
}
