/// The output of `lkpush help`.
package enum HelpText {
    package static var text: String {
        var reader = SettingsReader([:])
        _ = Settings(&reader)
        var lines = [
            "lkpush \(Version.number): LiveKit webhooks in, Prometheus remote write out.",
            "",
            "lkpush [serve]            run the exporter (default)",
            "lkpush check              validate the configuration, reach database and receiver once; exit 0, 1 or 78",
            "lkpush migrate            create or upgrade the database schema, then exit",
            "lkpush simulate [...]     send a simulated office to a running lkpush; see lkpush simulate --help",
            "lkpush top [URL]          a live picture of a running lkpush in the terminal; see lkpush top --help",
            "lkpush version | help",
            "",
            "  --env-file FILE         read NAME=value lines from a file first; the environment wins",
            "",
            "Settings (environment variables; durations 500ms 15s 1m30s 1h 90d, sizes 512KiB 4MiB 1GiB):",
            "",
        ]
        for row in reader.rows {
            let standard = row.standard.isEmpty ? "" : " [\(row.standard)]"
            lines.append("  \(row.name)\(standard)")
            lines.append("      \(row.help)")
        }
        return lines.joined(separator: "\n") + "\n"
    }
}
