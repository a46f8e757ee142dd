import Glibc
import JournalSQLite
import Pipeline
import Platform
import Storage
import Wire

/// `lkpush check`: prints the configuration in effect, and tries the state folder, the database and the receiver once.
enum Check {
    /// Returns true if everything answered.
    static func run(_ settings: Settings, _ reader: SettingsReader, log: Log) -> Bool {
        let rows = reader.rows
        let width = rows.map(\.name.count).max() ?? 0
        for row in rows where !row.effective.isEmpty {
            let blank = String(repeating: " ", count: width - row.name.count)
            Terminal.printLine("\(row.name)\(blank)  \(row.effective)")
        }
        Terminal.printLine("")
        for warning in reader.warnings { Terminal.printLine("warning: \(warning)") }
        warnOfUnusedGlobs(settings, log)
        var isGood = report("state", state(settings))
        isGood = database(settings) && isGood
        isGood = destinations(settings, log) && isGood
        return isGood
    }

    static func report(_ what: String, _ outcome: (isGood: Bool, text: String)) -> Bool {
        Terminal.printLine("\(what): \(outcome.isGood ? "ok" : "FAILED"), \(outcome.text)")
        return outcome.isGood
    }

    /// Writes to the state folder as the journal would. If another process uses the folder, that is reported and not an
    /// error.
    private static func state(_ settings: Settings) -> (isGood: Bool, text: String) {
        let directory = settings.stateDirectory
        let probe = "\(directory)/check"
        do throws(SystemError) {
            try FileStore.makeDirectory(directory)
            try FileStore.replace(probe, with: Array("lkpush check\n".utf8))
            unlink(probe)
            switch try StateLock.take(directory: directory) {
            case .taken: return (true, "\(directory) can be written")
            case .held(let holder): return (true, "\(directory) can be written, and is used by \(holder)")
            }
        } catch {
            return (false, "\(error)")
        }
    }

    private static func warnOfUnusedGlobs(_ settings: Settings, _ log: Log) {
        guard !settings.globsWithoutMatch(in: []).isEmpty else { return }
        do throws(StartError) {
            for (variable, globs) in settings.globsWithoutMatch(in: try DeclaredFamilies.names(settings, log: log)) {
                Terminal.printLine(
                    "warning: \(variable): \(globs.joined(separator: ", ")): no metric of this configuration has such a "
                        + "name, so nothing is selected by it; see /metrics for the names")
            }
        } catch {
            _ = report("metrics", (false, "\(error)"))
        }
    }

    /// Tries the database. Policies may hide rows from lkpush although the database works. That may be intended, so it
    /// is a warning.
    private static func database(_ settings: Settings) -> Bool {
        var guarded: [GuardedTable] = []
        let outcome = database(settings, &guarded)
        guard outcome.isGood && !guarded.isEmpty else { return report("database", outcome) }
        let tables = guarded.map(\.description).joined(separator: ", ")
        Terminal.printLine(
            "database: WARNING, \(outcome.text), but row level security applies to lkpush's role on \(tables). \(advice)"
        )
        return true
    }

    private static let advice = """
        Rooms and organizations that its policies hide count as unknown, reports leave out what they hide, and rows that \
        they refuse wait. Let the role bypass them (ALTER ROLE ... BYPASSRLS), or give it policies that let everything \
        through (CREATE POLICY ... TO the role USING (true) WITH CHECK (true)).
        """

    private static func database(_ settings: Settings, _ guarded: inout [GuardedTable]) -> (isGood: Bool, text: String)
    {
        do {
            let url = try StoreDriver.location(of: settings.databaseLocation())
            if settings.databaseURL == nil { try FileStore.makeDirectory(settings.stateDirectory) }
            let database = try url.open()
            defer { database.close() }
            let store = ApplicationStore(database, lookup: try settings.lookup())
            let asksForRooms = settings.organizationSource == .database
            let pending = try store.pendingMigrations()
            guarded = try store.guardedTables(asksForRooms: asksForRooms)
            guard pending.isEmpty else {
                return (true, "\(url); the first start, or lkpush migrate, applies \(pending.joined(separator: ", "))")
            }
            try store.checkRights(asksForRooms: asksForRooms)
            let withheld = try store.arePositionsUsable() ? "" : ", but \(StoreThread.positionsWithheld)"
            return (true, "\(url); tables, rights and lookups are in order\(withheld)")
        } catch {
            return (false, plain("\(error)"))
        }
    }

    /// A receiver's words without characters that a terminal obeys. The excerpt spells out those above ASCII.
    static func harmless(_ text: String) -> String {
        String(
            String.UnicodeScalarView(text.excerpt(characters: 4_000).unicodeScalars.map { $0.value < 32 ? "?" : $0 }))
    }

    /// Joins the lines of a text with blanks.
    static func plain(_ text: String) -> String {
        text.split(whereSeparator: \.isWhitespace).joined(separator: " ")
    }
}
