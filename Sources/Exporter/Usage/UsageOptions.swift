import Platform
package import Storage
package import Wire

/// The arguments of `lkpush report`.
package struct UsageOptions: Sendable, Equatable {
    /// The month that is reported.
    package enum Month: Sendable, Equatable {
        /// The one that it is now in UTC.
        case current
        /// The one before it.
        case last
        case named(CalendarMonth)
    }

    /// The form of the report. The raw value is the word of the command line.
    package enum Format: String, Sendable, CaseIterable {
        case table, csv, json
    }

    package let month: Month
    /// The ids of the organizations that are reported. Empty for all of them.
    package let organizations: [String]
    package let format: Format

    package init(month: Month = .current, organizations: [String] = [], format: Format = .table) {
        self.month = month
        self.organizations = organizations
        self.format = format
    }

    /// Reads arguments without a mistake in their form.
    init(_ arguments: CommandArguments) throws(CommandLine.CommandFault) {
        switch arguments["--month"] {
        case nil: month = .current
        case "last": month = .last
        case .some(let text):
            guard let named = CalendarMonth(text) else {
                throw CommandLine.CommandFault(
                    description: "--month \(PlainText.shown(text)): expected a month such as 2026-11, or last")
            }
            month = .named(named)
        }
        organizations = arguments.all("--org")
        if organizations.contains("") {
            throw CommandLine.CommandFault(description: "--org needs the id of an organization")
        }
        guard let format = Format(rawValue: arguments.value("--format")) else {
            preconditionFailure("the declaration names the formats")
        }
        self.format = format
    }

    /// The month that is meant at a time.
    package func month(at now: Timestamp) -> CalendarMonth {
        switch month {
        case .current: CalendarMonth(CivilDate(now))
        case .last: CalendarMonth(CivilDate(now)).previous
        case .named(let month): month
        }
    }

    /// The declaration of the command.
    static let syntax = CommandSyntax(
        "report", "print a month's usage of each organization from the database",
        flags: [
            CommandFlag("--month", .text("MONTH"), "a calendar month in UTC such as 2026-11, or last; else this one"),
            CommandFlag("--org", .text("ID"), "only this organization; may be given several times"),
            CommandFlag(
                "--format", .words(Format.allCases.map(\.rawValue)), "how it is printed",
                standard: Format.table.rawValue),
        ],
        notes: [
            "It reads DATABASE_URL, or office.db in STATE_DIR, and no other setting. It changes nothing, and may run "
                + "beside a running lkpush. It needs neither a metrics store nor LiveKit.",
            "The table shows minutes, by kind of use for all organizations together, or with --org for each. CSV and "
                + "JSON have everything, in seconds with milliseconds. The article Usage says how each number is counted.",
        ],
        exits: [
            ("0", "printed, also where nothing was used"), ("1", "the database cannot be read"),
            ("64", "wrong arguments"), ("78", "a wrong DATABASE_URL"),
        ])
}
