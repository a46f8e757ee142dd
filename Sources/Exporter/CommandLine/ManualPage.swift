package import Platform

/// The manual page, `lkpush(1)`, in the macros of `man`.
/// https://man7.org/linux/man-pages/man7/groff_man.7.html
package enum ManualPage {
    /// - Parameter commands: the declarations of all commands.
    package static func text(_ commands: [CommandSyntax]) -> String {
        var page = [
            ".\\\" Printed by lkpush man.", ".TH LKPUSH 1 \"\" \"lkpush \(Version.number)\" \"User Commands\"",
            // Shell lines are copied from here, and words such as LIVEKIT_API_SECRET_FILE are not to be split.
            ".nh", ".ad l", ".SH NAME", "lkpush \\- \(plain(HelpText.summary))", ".SH SYNOPSIS", ".B lkpush",
            plain("[COMMAND] [--env-file FILE]"), ".SH DESCRIPTION",
            plain(
                "lkpush takes the webhooks of LiveKit, keeps metrics for each organization, and pushes them by "
                    + "Prometheus remote write. Without a command it serves. Environment variables configure it."),
        ]
        for flag in CommandFlag.common { page += item(flag) }
        page.append(".SH COMMANDS")
        for command in commands { page += section(command) }
        page += [".SH ENVIRONMENT", plain("All settings: \(HelpText.forms).")]
        for row in HelpText.rows {
            let standard = row.standard.isEmpty ? "" : " (default \\fI\(escaped(row.standard))\\fR)"
            page += [".TP", "\\fB\(escaped(row.name))\\fR\(standard)", plain(row.help)]
        }
        return page.joined(separator: "\n") + "\n"
    }

    private static func section(_ command: CommandSyntax) -> [String] {
        var lines = [
            ".SS lkpush \(escaped(command.name))", ".B lkpush \(escaped(command.name))",
            plain(command.usage.dropFirst().joined(separator: " ")), ".PP",
            plain(command.summary.prefix(1).uppercased() + command.summary.dropFirst() + "."),
        ].filter { !$0.isEmpty }
        if let argument = command.argument {
            let words = argument.words.isEmpty ? "" : " One of: \(argument.words.joined(separator: ", "))."
            lines += [".TP", "\\fI\(escaped(argument.name))\\fR", plain(argument.help + words)]
        }
        for flag in command.flags { lines += item(flag) }
        for note in command.notes { lines += [".PP", plain(note)] }
        if !command.exits.isEmpty { lines += [".PP", "Exit status:"] }
        for exit in command.exits { lines += [".TP", "\\fB\(escaped(exit.status))\\fR", plain(exit.meaning)] }
        return lines
    }

    private static func item(_ flag: CommandFlag) -> [String] {
        let form = flag.form.split(separator: " ").map(String.init)
        let letter = flag.letter.map { "\\fB\(escaped($0))\\fR, " } ?? ""
        let value = form.count > 1 ? " \\fI\(escaped(form[1]))\\fR" : ""
        return [".TP", "\(letter)\\fB\(escaped(form[0]))\\fR\(value)", plain(flag.sentence)]
    }

    /// A paragraph. A line that begins with a dot or an apostrophe would be a command of roff.
    private static func plain(_ text: String) -> String {
        let line = escaped(text.split(separator: " ").joined(separator: " "))
        return line.hasPrefix(".") || line.hasPrefix("'") ? "\\&" + line : line
    }

    /// Text that roff prints as it is: a hyphen is a minus, so that flags can be copied, and what is not ASCII is a name.
    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "\\": "\\e"
            case "-": "\\-"
            case "'": "\\(aq"
            case "`": "\\(ga"
            case "^": "\\(ha"
            case "~": "\\(ti"
            case "\n": " "
            case _ where scalar.isASCII: String(scalar)
            default: "\\[u\(hexadecimal(scalar.value))]"
            }
        }.joined()
    }

    private static func hexadecimal(_ number: UInt32) -> String {
        let digits = String(number, radix: 16, uppercase: true)
        return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
    }
}
