import Journal

extension LogMark {
    /// The reason why no replica leads a log with this mark, and what to do.
    var bar: String {
        switch self {
        case .filling, .filled:
            "a journal is being moved to this log: finish that with lkpush migrate-journal --to-shared where it was begun"
        case .leaving:
            "this log is being moved to STATE_DIR of one process: finish that with lkpush migrate-journal --to-embedded where it "
                + "was begun"
        case .moved:
            "this log was moved to STATE_DIR of one process, which goes on with it: start that one without JOURNAL_URL, or move "
                + "it back with lkpush migrate-journal --to-shared"
        }
    }
}
