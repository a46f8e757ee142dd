/// The result of `ApplicationStore.write`. Every row is counted in exactly one place.
package struct WriteOutcome: Sendable, Equatable {
    /// Rows that were applied and committed.
    package var written = 0
    /// Rows that had been applied before: the answer to an earlier commit was lost.
    package var repeated = 0
    /// Rows that were dropped because the database knows no organization for their room, by reason.
    package var dropped: [LookupError: Int] = [:]
    /// Rows that become dead letters because the database refused their data, in the order of the rows.
    package var refusals: [RowRefusal] = []
    /// Set if nothing was applied because another copy of the state writes under the same journal id. What follows this
    /// input belongs to this copy alone, and needs a journal id of its own.
    package var copiedAfter: Int64?
    /// The database has fewer rows than this state knows to have written: it was restored from a backup, or is another
    /// one.
    package var isBehind = false

    package init() {}

    /// The number of refused rows.
    package var refused: Int { refusals.count }

    /// Adds a row that was not applied, by its index.
    mutating func add(_ setback: RowError, at index: Int) {
        switch setback {
        case .dropped(let reason): dropped[reason, default: 0] += 1
        case .refused(let error): refusals.append(RowRefusal(index: index, error: error))
        }
    }

    /// Adds rows by their indexes, with the refusal of each one that was refused.
    mutating func add(_ refusals: [StoreError?], at indexes: [Int]) {
        for (refusal, index) in zip(refusals, indexes) {
            if let refusal { add(.refused(refusal), at: index) } else { written += 1 }
        }
    }

    /// Adds the outcome of further rows. The indexes of refused rows are taken over as they are.
    mutating func add(_ other: WriteOutcome) {
        written += other.written
        repeated += other.repeated
        copiedAfter = copiedAfter ?? other.copiedAfter
        isBehind = isBehind || other.isBehind
        refusals += other.refusals
        dropped.merge(other.dropped) { $0 + $1 }
    }

    /// The number of all rows.
    package var count: Int { written + repeated + refused + dropped.values.reduce(0, +) }
}

/// A row that the database refused.
package struct RowRefusal: Sendable, Equatable {
    /// The index of the row among those that were handed over, from 0.
    package let index: Int
    /// The error, without the row's values.
    package let error: StoreError
}

/// The reasons for which one row is not applied while the others are.
enum RowError: Error {
    /// Its room has no organization.
    case dropped(LookupError)
    /// The database refuses it.
    case refused(StoreError)
}
