package import Wire

// Exactly once: the database stores how far the rows of each journal were applied, in the same transaction as the rows.
//
// `lkpush_outbox` has the number of the last row, as in every version. `lkpush_outbox_positions` repeats that number,
// with two columns that an older program does not change: the position of the row among the inputs, and the writer. If
// the two numbers differ, an older program has written since, and only the number counts.

extension ApplicationStore {
    /// The plan for a batch of rows: which of them are applied already, and the statements that record the batch.
    struct Ledger {
        var applied: [Bool] = []
        /// The statements that record all rows as applied; none if that is recorded already.
        var marks: [SQLStatement] = []

        func isApplied(_ index: Int) -> Bool { index < applied.count && applied[index] }
    }

    /// Finds out which rows were applied before. Call it in the transaction that applies the others.
    func ledger(
        of origin: RowOrigin?, count: Int, at now: Timestamp, into outcome: inout WriteOutcome
    ) throws(StoreError) -> Ledger {
        guard let origin, count > 0 else { return Ledger() }
        let mark = try mark(of: origin, at: now)
        if let history = origin.history {
            outcome.copiedAfter = history.fork(from: mark)
            if outcome.copiedAfter != nil { return Ledger() }
            outcome.isBehind = keepsPositions && isBehind(mark, history)
        }
        var ledger = Ledger(applied: mark.applied(origin, count: count))
        outcome.repeated = ledger.applied.count { $0 }
        let last = origin.firstSequence + Int64(count) - 1
        // If other rules gave the last row another number, a program that knows only numbers must find that number.
        let isRenumbered =
            mark.position != nil && mark.position == origin.position(of: count - 1) && mark.sequence != last
        if outcome.repeated < count || isRenumbered { ledger.marks = marks(origin, count: count, at: now) }
        return ledger
    }

    /// Deletes the records of journals that have not been used since `time`, except for one journal.
    package func forgetOrigins(before time: Timestamp, except journal: String = "") throws(StoreError) -> Int {
        if keepsPositions {
            _ = try database.run(
                "DELETE FROM lkpush_outbox_positions WHERE applied_at < $1 AND journal <> $2",
                [.time(time), .text(journal)])
        }
        return try database.run(
            "DELETE FROM lkpush_outbox WHERE applied_at < $1 AND journal <> $2", [.time(time), .text(journal)])
    }

    /// Reads what is noted, and keeps everybody else from changing it before the end of the transaction.
    private func mark(of origin: RowOrigin, at now: Timestamp) throws(StoreError) -> AppliedMark {
        let query = "SELECT sequence FROM lkpush_outbox WHERE journal = $1 \(database.dialect.rowLock)"
        var answer = try database.rows(query, [.text(origin.journal)])
        if answer.rows.isEmpty {
            // A row that is not there cannot be locked: two processes could both be the first. One that another process
            // has inserted meanwhile is locked by the update, and tells what was committed last.
            answer = try database.rows(
                """
                INSERT INTO lkpush_outbox (journal, sequence, applied_at) VALUES ($1, 0, $2)
                ON CONFLICT (journal) DO UPDATE SET applied_at = excluded.applied_at RETURNING sequence
                """, [.text(origin.journal), .time(now)])
        }
        guard let sequence = answer.rows.first?.first?.asInteger else { return AppliedMark() }
        var mark = AppliedMark(sequence: sequence)
        // The other table needs no lock: whoever writes to it holds that of the row above.
        guard keepsPositions else { return mark }
        let noted = try database.rows(
            "SELECT sequence, input, place, starts FROM lkpush_outbox_positions WHERE journal = $1",
            [.text(origin.journal)])
        guard let row = noted.rows.first, row[0].asInteger == sequence else { return mark }
        if let input = row[1].asInteger, let index = row[2].asInteger {
            mark.position = RowPosition(input: input, index: index)
        }
        if let text = row[3].asText, !text.isEmpty { mark.starts = ProcessStart.list(text) }
        return mark
    }

    private func isBehind(_ mark: AppliedMark, _ history: StartHistory) -> Bool {
        guard history.appliedInput > 0 else { return false }
        return mark.position.map { $0.input < history.appliedInput } ?? (mark.sequence == 0)
    }

    /// Returns the statements that record the rows of an origin as applied.
    func marks(_ origin: RowOrigin, count: Int, at now: Timestamp) -> [SQLStatement] {
        let last = origin.firstSequence + Int64(count) - 1
        let sequence = SQLStatement(
            """
            INSERT INTO lkpush_outbox (journal, sequence, applied_at) VALUES ($1, $2, $3)
            ON CONFLICT (journal) DO UPDATE SET sequence = excluded.sequence, applied_at = excluded.applied_at
            """, [.text(origin.journal), .integer(last), .time(now)])
        guard keepsPositions else { return [sequence] }
        let position = origin.position(of: count - 1)
        let place = SQLStatement(
            """
            INSERT INTO lkpush_outbox_positions (journal, sequence, input, place, starts, applied_at)
            VALUES ($1, $2, $3, $4, $5, $6)
            ON CONFLICT (journal) DO UPDATE SET sequence = excluded.sequence, input = excluded.input,
                place = excluded.place, starts = excluded.starts, applied_at = excluded.applied_at
            """,
            [
                .text(origin.journal), .integer(last), position.map { .integer($0.input) } ?? .null,
                position.map { .integer($0.index) } ?? .null,
                .text(ProcessStart.text(origin.history?.starts ?? [])), .time(now),
            ])
        return [sequence, place]
    }
}
