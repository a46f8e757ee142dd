package import Platform

extension SimulateCommand {
    /// The declaration of the command.
    package static let syntax = CommandSyntax(
        "simulate", "send a simulated office (signed webhooks) to a running lkpush",
        flags: [
            CommandFlag(
                "--url", .text("URL"), "where to send; /webhook is added to a bare address",
                standard: "http://127.0.0.1:3001"),
            CommandFlag("--orgs", .text("N"), "organizations", standard: "3"),
            CommandFlag("--rooms", .text("N"), "rooms of each organization", standard: "4"),
            CommandFlag("--users", .text("N"), "people of each organization", standard: "20"),
            CommandFlag(
                "--duration", .text("TIME"), "office time to live through: 90s, 15m, 8h", standard: "1h"),
            CommandFlag("--speed", .text("N"), "times faster than life: 60 makes an hour a minute", standard: "60"),
            CommandFlag("--seed", .text("N"), "the same seed gives the same office", standard: "1"),
            CommandFlag(
                "--day", .text("N"),
                "another day of that office: the same people, rooms and organizations, but everything happens anew",
                standard: "1"),
            CommandFlag("--connections", .text("N"), "requests in flight at most", standard: "32"),
            CommandFlag(
                "--end", .words(OfficeSize.Ending.allCases.map(\.rawValue)),
                "at the end everybody leaves, or it stops in mid-life", standard: "clean"),
            CommandFlag(
                "--server", .words(OfficeSize.Server.allCases.map(\.rawValue)),
                "an old LiveKit (up to 1.13.5) tells no job of an agent and no reason of a room's end",
                standard: OfficeSize.Server.new.rawValue),
            CommandFlag(
                "--lose", .text("SHARE"), "share of the webhooks that are never sent: 0.002 or 0.2%", standard: "0"),
            CommandFlag(
                "--api", .text("ADDRESS"),
                "where the office's LiveKit answers as server API, host:port; with port 0 the system chooses one"),
            CommandFlag(
                "--lie", .text("LIES"),
                "the ways in which that API lies, in a list with commas: "
                    + APILie.allCases.map(\.rawValue).joined(separator: ", ")),
            CommandFlag("--key", .text("KEY"), "API key", standard: "LIVEKIT_API_KEY"),
            CommandFlag(
                "--secret", .text("SECRET"),
                "its secret; others can see arguments, so prefer LIVEKIT_API_SECRET. LIVEKIT_API_SECRET_FILE and "
                    + "LIVEKIT_KEYS_FILE (its first key) serve too", standard: "LIVEKIT_API_SECRET"),
        ],
        notes: [
            "Rooms are named ORG~PURPOSE-N and their metadata holds {\"org_id\": \"ORG\"}. To see several organizations "
                + "start lkpush with ORG_SOURCE=room-name and ORG_ROOM_PATTERN='^(?<org>[^~]+)~', or with "
                + "ORG_SOURCE=metadata and ORG_METADATA_KEY=org_id.",
            "A webhook carries the time at which it is due; older times in it are moved along, so an hour in the office "
                + "is an hour in its durations. Events of a room are sent one after the other and retried after 1, 2, 4 "
                + "and 8 s, as LiveKit does. Ctrl-C stops it with the summary; a second one at once.",
            "To see lkpush correct itself after lost webhooks, give --lose 0.2% --api 127.0.0.1:7880, and start lkpush "
                + "with LIVEKIT_URL=http://127.0.0.1:7880. The API lists rooms, participants, egress and ingress to "
                + "whoever has a token of the same key.",
        ],
        exits: [
            ("0", "every webhook was answered 200"), ("1", "not every one"), ("64", "wrong arguments"),
            ("78", "keys that cannot be used"), ("130", "stopped at once by a second Ctrl-C"),
        ])
}
