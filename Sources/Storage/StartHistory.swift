/// The writer of rows, with what its state folder knows of the writers before it. That suffices to detect that the
/// folder was copied.
///
/// A copy has the same journal id and goes on with the same numbers. The starts tell the copies apart. Each start has a
/// random id, which is in the journal before the database can see it. So a start that this state does not know belongs
/// to another folder. A start that this state does know ended before the next one began, so it cannot have written any
/// later input.
package struct StartHistory: Sendable, Hashable {
    /// The starts on this state, the oldest first. The last one is the running process.
    package var starts: [ProcessStart]
    /// The highest number that this state can have written, for databases that do not store the writer.
    package var knownSequence: Int64
    /// The database is known to have all rows of the inputs up to this one; 0 if nothing is known.
    package var appliedInput: Int64
    /// Another copy of the state has the same rows: whichever copy comes first writes them.
    package var sharesRows: Bool

    package init(starts: [ProcessStart], knownSequence: Int64, appliedInput: Int64 = 0, sharesRows: Bool = false) {
        self.starts = starts
        self.knownSequence = knownSequence
        self.appliedInput = appliedInput
        self.sharesRows = sharesRows
    }

    /// Returns the input after which this state and the state of the last writer diverged; nil if they are the same
    /// state.
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

    /// Returns the input at which two histories with different ends diverge: the first start after the last common one,
    /// on either side.
    private func divergence(from theirs: [ProcessStart]) -> Int64 {
        let known = Set(starts.map(\.id))
        let common = theirs.lastIndex { known.contains($0.id) }
        let place = common.flatMap { index in starts.firstIndex { $0.id == theirs[index].id } }
        let their = theirs[(common ?? -1) + 1].after
        // If this state has no later start, the running process made what follows, on both sides up to the copy.
        let next = (place ?? -1) + 1
        return next < starts.count ? min(their, starts[next].after) : their
    }
}

/// The database's record of the rows of a journal that were applied.
struct AppliedMark: Sendable, Equatable {
    static let table = "lkpush_outbox_positions"

    /// The number of the last applied row; 0 if there is none.
    var sequence: Int64 = 0
    /// The position of that row among the inputs; nil if it is unknown.
    var position: RowPosition?
    /// The starts of the program that wrote it; nil if the record has none.
    var starts: [ProcessStart]?

    /// Returns for each row whether it is applied already.
    ///
    /// The comparison uses positions if both sides know them, else numbers. A row that comes twice counts as applied
    /// the second time: that happens after a start that could not trust its files.
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
