package import Platform

/// The commands of the program. The declarations of `simulate` and `top` are in their own targets.
package enum Commands {
    /// The names of the commands that other targets declare.
    static let elsewhere = ["simulate", "top"]
    /// All names, in the order of the help.
    package static let names =
        ["serve", "check", "migrate", "migrate-journal", "report"] + elsewhere + [
            "completion", "man", "version", "help",
        ]

    /// The declarations of all commands, in the order of `names`.
    ///
    /// - Parameter others: the declarations of other targets.
    package static func all(with others: [CommandSyntax]) -> [CommandSyntax] {
        let known = own + others
        return names.map { name in
            guard let syntax = known.first(where: { $0.name == name }) else {
                preconditionFailure("each command has a declaration")
            }
            return syntax
        }
    }

    /// The declarations of the commands of this target.
    static let own = [
        CommandSyntax(
            "serve", "run the exporter; this is the default",
            notes: [
                "It takes webhooks on LISTEN, pushes metrics, and serves its status and /metrics on METRICS_LISTEN. "
                    + "lkpush help lists all settings. Logs go to standard error: text where that is a terminal, "
                    + "JSON elsewhere, unless LOG_FORMAT is set.",
                "SIGTERM and SIGINT stop it in good order within SHUTDOWN_TIMEOUT, a second one at once. SIGHUP reads "
                    + "files with keys and secrets again. SIGUSR1 switches debug logging on, and off again.",
            ],
            exits: [
                ("0", "stopped in good order"), ("1", "it could not start, or not stop in time"), usageExit,
                configurationExit, ("130", "stopped at once by a second signal"),
            ]),
        CommandSyntax(
            "check", "look whether all works with this configuration; change nothing",
            flags: [CommandFlag("--room", .text("NAME"), "say to which organization this room belongs, and why")],
            notes: [
                "It prints all settings in effect, with secrets masked. Then it looks at the state folder, the "
                    + "addresses, the database, LiveKit and every receiver once, and prints a line for each finding "
                    + "and what to do about it. It may run beside a running lkpush."
            ],
            exits: [("0", "all works"), ("1", "something does not work"), usageExit, configurationExit]),
        CommandSyntax(
            "migrate", "create or upgrade the tables of the database, then exit",
            notes: [
                "Every start does the same. This command is for roles: run it as one that may create tables, where the "
                    + "role of the exporter may not."
            ],
            exits: [("0", "the tables are up to date"), ("1", "they are not"), usageExit, configurationExit]),
        CommandSyntax(
            "migrate-journal", "move the state to the journal that replicas share, or back, then exit",
            flags: [
                CommandFlag("--to-shared", .none, "move it from STATE_DIR to the log of JOURNAL_URL and JOURNAL_NAME"),
                CommandFlag("--to-embedded", .none, "move it from that log to STATE_DIR"),
                CommandFlag(
                    "--adopt", .none, "move nothing: let replicas with these settings lead the log from now on"),
                CommandFlag("--dry-run", .none, "only say what would be moved"),
            ],
            notes: [
                "Stop every lkpush that uses either in order first. Counters, open rooms, rows that wait for the database and "
                    + "remembered webhooks go on where they were. What they are moved from cannot be started by accident. "
                    + "After a crash the same command finishes the move."
            ],
            exits: [("0", "moved"), ("1", "not moved"), usageExit, configurationExit]),
        UsageOptions.syntax,
        CommandSyntax(
            "completion", "print what makes a shell complete lkpush's commands and flags",
            argument: CommandArgument("SHELL", "The shell.", isRequired: true, words: Shell.allCases.map(\.rawValue)),
            readsSettings: false,
            notes: [
                "For this shell alone: source <(lkpush completion bash)",
                "For everybody, write it to /usr/share/bash-completion/completions/lkpush or "
                    + "/usr/share/zsh/vendor-completions/_lkpush.",
            ], exits: [("0", "printed"), usageExit]),
        CommandSyntax(
            "man", "print the manual page", readsSettings: false,
            notes: [
                "To read it: lkpush man | man -l -", "For everybody: lkpush man > /usr/share/man/man1/lkpush.1",
            ],
            exits: [("0", "printed"), usageExit]),
        CommandSyntax(
            "version", "print the version", readsSettings: false, exits: [("0", "printed"), usageExit]),
        CommandSyntax(
            "help", "show all commands and settings, or one command",
            argument: CommandArgument("COMMAND", "The command.", words: names), readsSettings: false,
            exits: [("0", "printed"), usageExit]),
    ]

    private static let usageExit = (status: "64", meaning: "wrong arguments")
    private static let configurationExit = (status: "78", meaning: "wrong settings; all of them are named at once")
}
