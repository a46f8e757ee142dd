/// Who hands rows over, and what it knows of those that did before it: enough to tell that a state folder was copied.
///
/// A copy has the same journal id and goes on with the same numbers. What tells it apart are the starts: each has a random
/// id that is in the journal before the database can see it, so a start that this state does not know is one of another
/// folder; and one that it knows ended before the next one, so it cannot have written what came after that.
package struct RowWriter: Sendable, Hashable {
    /// The starts of this state, the oldest first; the last is the running one.
    package var starts: [ProcessStart]
    /// The highest number that this state can have written, for databases that do not tell who wrote.
    package var knownSequence: Int64
    /// The database is known to have all rows of the inputs up to here; 0 where that is not known.
    package var appliedInput: Int64
    /// The rows are those that another copy of the state has as well: whoever comes first writes them.
    package var sharesRows: Bool

    package init(starts: [ProcessStart], knownSequence: Int64, appliedInput: Int64 = 0, sharesRows: Bool = false) {
        self.starts = starts
        self.knownSequence = knownSequence
        self.appliedInput = appliedInput
        self.sharesRows = sharesRows
    }

    /// The input after which this state and the one that wrote to the database went different ways; nil where they are
    /// one and the same.
    func fork(from mark: AppliedMark) -> Int64? {
        guard !sharesRows, let own = starts.last, mark.sequence > 0 else { return nil }
        guard let theirs = mark.starts, let writer = theirs.last else {
            return mark.sequence <= knownSequence ? nil : own.after
        }
        guard let place = starts.firstIndex(where: { $0.id == writer.id }) else {
            return divergence(from: theirs)
        }
        guard place + 1 < starts.count else { return nil }
        let limit = starts[place + 1].after
        let isOwn = mark.position.map { $0.input <= limit } ?? (mark.sequence <= knownSequence)
        return isOwn ? nil : limit
    }

    /// Where two lists part that end differently: at the first start after the last common one, on either side.
    private func divergence(from theirs: [ProcessStart]) -> Int64 {
        let known = Set(starts.map(\.id))
        let common = theirs.lastIndex { known.contains($0.id) }
        let place = common.flatMap { index in starts.firstIndex { $0.id == theirs[index].id } }
        let their = theirs[(common ?? -1) + 1].after
        // Without a next one of ours, what follows was made by the running one, on both sides up to the copy.
        let next = (place ?? -1) + 1
        return next < starts.count ? min(their, starts[next].after) : their
    }
}

/// What the database says of the rows of a journal that were applied.
struct AppliedMark: Sendable, Equatable {
    static let table = "lkpush_outbox_positions"

    /// The number of the last one; 0 where none was.
    var sequence: Int64 = 0
    /// Where it stands among the inputs; nil where that is not known.
    var position: RowPosition?
    /// The starts of the program that wrote it; nil where it does not say.
    var starts: [ProcessStart]?

    /// Which of the rows are applied already, in their order.
    ///
    /// By position where both sides know it, else by number. Rows that come twice, as after a start that could not trust
    /// what it had on disk, count as applied the second time.
    func applied(_ origin: RowOrigin, count: Int) -> [Bool] {
        var reached = position
        return (0..<count).map { index in
            let place = origin.position(of: index)
            if let place, let last = reached {
                if place <= last { return true }
                reached = place
                return false
            }
            if origin.firstSequence + Int64(index) <= sequence { return true }
            reached = place ?? reached
            return false
        }
    }
}
