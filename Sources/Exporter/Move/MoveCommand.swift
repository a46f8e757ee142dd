import Journal
import Platform
import Postgres
import Wire

/// `lkpush migrate-journal`: moves the state to replicas, or back to one process.
enum MoveCommand {
    /// Returns the exit status.
    static func run(_ direction: JournalMove.Direction, isTrial: Bool, _ settings: Settings) -> Int32 {
        guard let shared = settings.sharedJournal else {
            Terminal.printError(
                "lkpush: JOURNAL_URL is not set: it names the database of the shared journal, for both directions\n")
            return Program.Status.configuration
        }
        do {
            let move = JournalMove(
                directory: settings.stateDirectory, url: try PostgresURL(shared.url.read().exposed), name: shared.name)
            let outcome = try move.run(direction, isTrial: isTrial)
            let verb = isTrial ? "Would move" : outcome.isCompletion ? "Completed the move of" : "Moved"
            Terminal.printLine("\(verb) \(outcome.summary.text).")
            tellOfLabels(settings, shared, direction)
            if !isTrial { Terminal.printLine(next(direction)) }
            return Program.Status.done
        } catch {
            Terminal.printError("lkpush: the journal is not moved: \(Check.plain("\(error)"))\n")
            return Program.Status.failed
        }
    }

    /// Makes these settings the ones that lead the log. Returns the exit status.
    static func adopt(_ settings: Settings) -> Int32 {
        guard let shared = settings.sharedJournal else {
            Terminal.printError("lkpush: JOURNAL_URL is not set: it names the database of the shared journal\n")
            return Program.Status.configuration
        }
        do {
            let move = JournalMove(
                directory: settings.stateDirectory, url: try PostgresURL(shared.url.read().exposed), name: shared.name)
            let instance = settings.instance.isEmpty ? shared.name : settings.instance
            try move.adopt(settings.logConfiguration(instance: instance))
            Terminal.printLine("Replicas with these settings lead the log from now on. Start them.")
            return Program.Status.done
        } catch {
            Terminal.printError("lkpush: the settings are not adopted: \(Check.plain("\(error)"))\n")
            return Program.Status.failed
        }
    }

    private static func next(_ direction: JournalMove.Direction) -> String {
        switch direction {
        case .toShared:
            "Start the replicas now. The journal that was in STATE_DIR is put aside as journal.db.moved-… and can be deleted "
                + "when all is well."
        case .toEmbedded:
            "Start one lkpush without JOURNAL_URL now. Replicas of this JOURNAL_NAME do not lead or append any more."
        }
    }

    /// Another label makes other series, which begin where these end.
    private static func tellOfLabels(
        _ settings: Settings, _ shared: SharedJournal, _ direction: JournalMove.Direction
    ) {
        let one = settings.instanceGlimpse
        let replicas = settings.instance.isEmpty ? shared.name : settings.instance
        guard one != replicas, settings.instance.isEmpty else { return }
        let (before, after) = direction == .toShared ? (one, replicas) : (replicas, one)
        Terminal.printLine(
            "The label instance of lk_* changes from \(before) to \(after), so these are new series. INSTANCE=\(before) keeps "
                + "them.")
    }
}
