package import Platform

extension TopCommand {
    /// The declaration of the command.
    package static let syntax = CommandSyntax(
        "top", "a live picture of a running lkpush in the terminal",
        argument: CommandArgument(
            "URL",
            "The private listener of lkpush (METRICS_LISTEN), such as \(TopOptions.Limits.address) or only "
                + "lkpush.example:9464; a path that a proxy puts before it belongs to it. Without URL it is the "
                + "METRICS_LISTEN of the environment, else \(TopOptions.Limits.address)."),
        flags: [
            CommandFlag(
                "--interval", .text("TIME"), "the time between two pictures",
                standard: "1s; where output is no terminal 5s"),
            CommandFlag("--once", "one picture of everything, then end"),
            CommandFlag(
                "--json", "the document of GET /debug/status as it came, one line for each interval"),
            CommandFlag(
                "--note", .text("TEXT"), "a line to show with the figures; may be given several times"),
        ],
        notes: [
            "In a terminal: q or Ctrl-C ends it, the arrows, PgUp, PgDn, Home, End, j and k scroll, r asks at once, h "
                + "shows the keys. What is wrong comes first, with its cause and what to do. Without colors where "
                + "NO_COLOR is set.",
            "Where standard output is no terminal (or TERM=dumb) it writes plain lines of at most 80 columns: a block "
                + "for each interval, and the problems whenever they change.",
        ],
        exits: [
            ("0", "after q or --once"),
            ("1", "lkpush does not answer; in a terminal it asks again instead"), ("64", "wrong arguments"),
            ("74", "the output cannot be written"),
            ("128+N", "ended by signal N, such as 130 after Ctrl-C"),
        ])
}
