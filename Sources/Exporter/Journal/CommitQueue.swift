import HTTPServing
import Journal
import Platform

/// What others leave for the journal thread. Any thread; nobody waits.
package final class CommitQueue: Sendable {
    let mail = Monitor(JournalMail())

    package init() {}

    /// Queues an event for the next commit; `pending` is answered after that. False while the journal cannot be written.
    func add(_ event: AcceptedEvent, _ pending: PendingResponse, _ answers: WebhookIntake.Answers) -> Bool {
        var isTaken = false
        mail.changeWakingIfNeeded { mail in
            guard !mail.isFailing else { return false }
            isTaken = true
            mail.arrivals.append(event, pending, answers)
            return mail.arrivals.count == mail.awaited
        }
        return isTaken
    }

    // MARK: Store

    /// Rows up to this number are in the database, but for those that it refused; so many are left in memory.
    func noteApplied(upTo number: Int64, input: Int64 = 0, left: Int, refused: [RefusedRow] = []) {
        mail.changeWakingIfNeeded { mail in
            mail.appliedUpTo = number
            mail.appliedInput = input
            // Together, so that what is set aside is on disk before the journal forgets the row.
            mail.refused += refused
            guard left < RowLine.Limits.lowWater, mail.rowsOnDisk > 0, !mail.wantsRows else { return !refused.isEmpty }
            mail.wantsRows = true
            return true
        }
    }

    /// Another copy of the state writes rows: those after this input need another name, which the store is told.
    func noteCopy(after input: Int64) { mail.change { $0.copiedAfter = input } }

    /// Rows may come that are not counted anywhere yet. Not while the journal cannot be written: they stay where they are.
    var hasRowsOnTheirWay: Bool {
        mail.withLock { !$0.isFailing && !$0.isFinished && ($0.isHoldingRows || !$0.turns.isEmpty) }
    }

    /// Rows that are on disk and not in memory.
    var rowsOnDisk: Int { mail.withLock { $0.rowsOnDisk } }
}
