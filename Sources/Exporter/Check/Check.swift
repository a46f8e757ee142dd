import Platform
import Wire

/// `lkpush check`: prints the configuration in effect, and looks at everything that lkpush will need: its folder, its
/// addresses, the limits of the process, the shared journal, the database, LiveKit and the receivers.
///
/// It only looks. No file, lock or table is made or changed, here or elsewhere, so it may run beside a running lkpush and
/// as another user.
enum Check {
    /// Returns true if nothing is in error.
    ///
    /// - Parameter room: the name of a room whose organization is looked for; nil for none.
    static func run(_ settings: Settings, _ reader: SettingsReader, room: String? = nil, log: Log) -> Bool {
        let rows = reader.rows
        let width = rows.map(\.name.count).max() ?? 0
        for row in rows where !row.effective.isEmpty {
            let blank = String(repeating: " ", count: width - row.name.count)
            Terminal.printLine("\(row.name)\(blank)  \(row.effective)")
        }
        Terminal.printLine("")
        var report = CheckReport()
        for warning in reader.warnings { report.tell(.flaw, "setting", warning) }
        globs(settings, log, &report)
        let holder = state(settings, &report)
        addresses(settings, holder: holder, &report)
        limits(settings, &report)
        journal(settings, &report)
        database(settings, room: room, &report)
        liveKit(settings, &report)
        destinations(settings, holder: holder, log, &report)
        return report.isGood
    }

    private static func globs(_ settings: Settings, _ log: Log, _ report: inout CheckReport) {
        guard !settings.globsWithoutMatch(in: []).isEmpty else { return }
        do throws(StartError) {
            for (variable, globs) in settings.globsWithoutMatch(in: try DeclaredFamilies.names(settings, log: log)) {
                report.tell(
                    .flaw, "setting",
                    "\(variable): \(globs.joined(separator: ", ")): no metric of this configuration has such a name, so "
                        + "nothing is selected by it; see /metrics for the names")
            }
        } catch {
            report.tell(.fault, "metrics", "\(error)")
        }
    }

    // MARK: Clocks

    /// Tells how far the clock of this machine is from another one. Only what is certain counts: neither slow answers nor
    /// rounded times make a difference.
    ///
    /// - Parameters:
    ///   - owner: the other clock's, as in "the clock of this machine agrees with that of the database".
    ///   - cost: what a difference does.
    static func clock(
        _ interval: ClockInterval, of owner: String, cost: String, _ subject: String, _ report: inout CheckReport
    ) {
        let difference = ClockDifference(interval.proven)
        let mark: CheckReport.Mark =
            switch difference.weight {
            case .none: .ok
            case .notable: .flaw
            case .harmful: .fault
            }
        report.tell(mark, subject, difference.text(from: "that of \(owner)", cost: cost))
    }

    enum Limits {
        /// The memory of a small lkpush without a backlog, and room for its peaks.
        static let memory = ByteCount.mebibytes(96)
        /// The longest time that the shared journal takes for an answer about its clock.
        static let journalAnswer = Duration.seconds(3)
    }

    /// The text on one line, with single blanks, and without characters that a terminal obeys. The excerpt spells out
    /// those above ASCII.
    static func oneLine(_ text: String, characters: Int) -> String {
        let line = plain(text).excerpt(characters: characters).unicodeScalars.map { $0.value < 32 ? "?" : $0 }
        return String(String.UnicodeScalarView(line))
    }

    /// Joins the lines of a text with blanks.
    static func plain(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
