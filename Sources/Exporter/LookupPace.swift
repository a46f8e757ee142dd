/// How many rooms are asked for at once: as many as the database answers quickly, since each waits for all of them.
struct LookupPace {
    /// Begins low: how slow the database is shows at the first question.
    private(set) var count = 4

    /// One question took so long: the next one asks for twice or half as many.
    mutating func note(took: Duration) {
        if took > StoreSettings.Limits.question {
            count = max(1, count / 2)
        } else {
            count = min(StoreSettings.Limits.lookupsInBatch, count * 2)
        }
    }
}
