import Journal
import Platform
import Wire

// The lineage of the rows: it is on disk before the database can see it.

extension JournalWorker {
    /// The database may see this start of the program.
    var isStartDurable: Bool { commit.lineage == nil }

    /// Notes that the program began, knowing all inputs up to `input`. Where that cannot be written now it goes with
    /// the next commit, and rows wait for it.
    func beginLineage(after input: Int64, _ journal: any StateJournal) {
        lineage.begin(after: input)
        var note = Commit()
        note.lineage = lineage.text
        do throws(JournalError) {
            try journal.commit(note)
        } catch {
            commit.lineage = lineage.text
            let advice = adviceOnWriting(error)
            log.throttled(
                .error, "the journal cannot be written: rows wait", ["error": .text(error), "action": advice.field])
        }
    }

    /// Gives a new name to the rows of inputs after `input`, because another copy writes under the current one.
    func rename(after input: Int64) {
        let old = lineage.current
        lineage.rename(after: input, afterNumber: beganAfter)
        commit.lineage = lineage.text
        // Nothing is known of the rows with the new name.
        commit.inputAppliedUpTo = 0
        appliedInput = 0
        inbox.mail.withLock { $0.appliedInput = 0 }
        isRenaming = true
        renamedFrom = old
    }

    /// Tells the store, which has been waiting, that the new name is on disk.
    func finishRenaming() {
        guard isRenaming, isStartDurable else { return }
        isRenaming = false
        tellOfCopy()
        store.use(lineage, beganAfter: beganAfter, appliedInput: 0)
    }

    /// Tells people about the copy. In a shared log, only the process that leads it gets so far: one that was replaced
    /// finds its commit refused.
    private func tellOfCopy() {
        guard let old = renamedFrom.take() else { return }
        metrics.noteCopy()
        let fields: Log.Fields = ["former": .string(old), "name": .string(lineage.current)]
        guard files?.journal.isShared == true else {
            return log.warning(
                """
                STATE_DIR is a copy, or was copied: another lkpush with the same state has written to the database. Rows get a \
                new name from here on, so none is lost or written twice; but counters go on from the copied state, and what \
                the other one counted is not in them. If both are running, stop one or give it an empty STATE_DIR
                """, fields)
        }
        log.warning(
            """
            another journal with the same rows writes to the database: it, or this one, was copied. Rows get a new name \
            from here on, so none is lost or written twice; but counters go on from the copied state, and what the other \
            one counted is not in them. If both are in use, give one of them a database of its own
            """, fields)
    }

    /// Writes the lineage again where it is missing: a journal that was opened again may be a new file.
    func noteLineage(in journal: any StateJournal) {
        if journal.numbers.lineage != lineage.text { commit.lineage = lineage.text }
    }
}
