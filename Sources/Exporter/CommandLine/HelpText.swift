package import Platform

/// The output of `lkpush help`.
package enum HelpText {
    /// The summary of the program, for its help and for the manual page.
    static let summary = "LiveKit webhooks in, Prometheus remote write out"
    /// A sentence about the forms of settings.
    static let forms = "durations 500ms 15s 1m30s 1h 90d, sizes 512KiB 4MiB 1GiB"

    /// - Parameter commands: the declarations of all commands.
    package static func text(_ commands: [CommandSyntax]) -> String {
        let globals = CommandFlag.common.map { flag in
            (left: (flag.letter.map { "\($0), " } ?? "") + flag.form, right: flag.sentence)
        }
        let lines =
            ["lkpush \(Version.number): \(summary).", "", "usage: lkpush [COMMAND] [--env-file FILE]", ""]
            + CommandSyntax.table(commands.map { ($0.name, $0.summary) }) + [""] + CommandSyntax.table(globals)
            + ["", "lkpush COMMAND --help shows the arguments of a command.", ""]
        return lines.joined(separator: "\n") + "\n" + settings
    }

    /// All settings, each with its default and its sentence.
    package static var settings: String {
        var lines = CommandSyntax.wrapped("Settings (environment variables; \(forms)):", indent: 0) + [""]
        for row in rows {
            let standard = row.standard.isEmpty ? "" : " [\(row.standard)]"
            lines.append("  \(row.name)\(standard)")
            lines += CommandSyntax.wrapped(row.help, indent: 6)
        }
        return lines.joined(separator: "\n") + "\n"
    }

    /// The table of settings.
    static var rows: [SettingsReader.Row] {
        var reader = SettingsReader([:])
        _ = Settings(&reader)
        return reader.rows
    }
}
