/// What became of rows that were handed to `ApplicationStore.write`. Every row is counted in exactly one place.
package struct WriteOutcome: Sendable, Equatable {
    /// Applied, and committed.
    package var written = 0
    /// Had been applied before: the answer to an earlier commit was lost.
    package var repeated = 0
    /// Dropped because the room's organization is not known to the database, by reason.
    package var dropped: [LookupError: Int] = [:]
    /// The rows that become dead letters because the database refused their data, in the order of the rows.
    package var refusals: [RowRefusal] = []
    /// Nothing was applied: another copy of the state writes under the same name. What follows this input is this
    /// one's alone, and needs a name of its own.
    package var copiedAfter: Int64?
    /// The database had less than this state knows to have written: it is an older one, or another.
    package var isBehind = false

    package init() {}

    /// How many were refused.
    package var refused: Int { refusals.count }

    /// Adds the row at this place, which was not applied.
    mutating func add(_ setback: RowError, at index: Int) {
        switch setback {
        case .dropped(let reason): dropped[reason, default: 0] += 1
        case .refused(let error): refusals.append(RowRefusal(index: index, error: error))
        }
    }

    /// Adds the rows at these places, of which some were refused.
    mutating func add(_ refusals: [StoreError?], at indexes: [Int]) {
        for (refusal, index) in zip(refusals, indexes) {
            if let refusal { add(.refused(refusal), at: index) } else { written += 1 }
        }
    }

    /// Adds what became of further rows; the places of those that were refused are as they are there.
    mutating func add(_ other: WriteOutcome) {
        written += other.written
        repeated += other.repeated
        copiedAfter = copiedAfter ?? other.copiedAfter
        isBehind = isBehind || other.isBehind
        refusals += other.refusals
        dropped.merge(other.dropped) { $0 + $1 }
    }

    /// All of them.
    package var count: Int { written + repeated + refused + dropped.values.reduce(0, +) }
}

/// A row that the database refused.
package struct RowRefusal: Sendable, Equatable {
    /// The row's place among those that were handed over, from 0.
    package let index: Int
    /// Why, without the row's values.
    package let error: StoreError
}

/// Why one row is not applied while the others are.
enum RowError: Error {
    /// Its room has no organization.
    case dropped(LookupError)
    /// The database refuses it.
    case refused(StoreError)
}
