// The statements of opening a journal. `CommitWork` has those of a commit.

extension PostgresJournal {
    /// It fails by itself where the epoch is over: the statements after it are on their way before its answer is read. The
    /// lock keeps the next leader from taking the lease until the transaction ends.
    static let fence =
        "SELECT 1 / count(*) FROM (SELECT 1 FROM lkpush_journal_epochs WHERE log = $1 AND epoch = $2 FOR SHARE) f"

    /// It waits until a commit that is under way has ended.
    static let stateLock = "SELECT 1 / count(*) FROM (SELECT 1 FROM lkpush_journal_state WHERE log = $1 FOR UPDATE) s"

    /// It fails by itself where the state is not the one that this process left: the database has lost its end. What
    /// this process knows is not the log's any more, so it is replaced.
    static let unbroken =
        "SELECT 1 / count(*) FROM (SELECT 1 FROM lkpush_journal_state WHERE log = $1 AND serial = ANY($2::bigint[])) s"

    static let numbersQuery = """
        SELECT l.id, t.events_base, t.inputs_base, s.event_applied,
            (SELECT i.first + i.count - 1 FROM lkpush_journal_inputs i WHERE i.log = $1 ORDER BY i.first DESC LIMIT 1),
            s.rows_applied, s.input_applied, s.last_reading, s.unjournaled_after, s.has_lost, s.dead_letters_dropped,
            (SELECT count(*) FROM lkpush_journal_dead_letters d WHERE d.log = $1), s.event_finished
        FROM lkpush_journal_logs l, lkpush_journal_trims t, lkpush_journal_state s
        WHERE l.log = $1 AND t.log = $1 AND s.log = $1
        """

    static let textsQuery = "SELECT name, value FROM lkpush_journal_texts WHERE log = $1"

    static let deathsQuery = "SELECT event, count FROM lkpush_journal_deaths WHERE log = $1"

    static let opened = """
        UPDATE lkpush_journal_state SET serial = $2, has_lost = has_lost OR $3 WHERE log = $1
        """

    static let death = """
        INSERT INTO lkpush_journal_deaths AS d VALUES ($1, $2, 1)
        ON CONFLICT (log, event) DO UPDATE SET count = d.count + 1
        """

    // MARK: Taking back, if the commit with the serial `$2` is there

    private static let isThere = "EXISTS (SELECT 1 FROM lkpush_journal_state s WHERE s.log = $1 AND s.serial = $2)"

    static let undoInputs = "DELETE FROM lkpush_journal_inputs WHERE log = $1 AND first > $3 AND \(isThere)"

    static let undoIDs = "DELETE FROM lkpush_journal_ids WHERE log = $1 AND serial = $2"

    static let undoApplied = "UPDATE lkpush_journal_state SET event_applied = $3 WHERE log = $1 AND serial = $2"

    static let undoDeaths = """
        UPDATE lkpush_journal_deaths d SET count = d.count - u.n
        FROM (SELECT event, count(*) AS n FROM unnest($3::bigint[]) event GROUP BY event) u
        WHERE d.log = $1 AND d.event = u.event AND \(isThere)
        """

    static let noDeaths = "DELETE FROM lkpush_journal_deaths WHERE log = $1 AND count <= 0"
}
