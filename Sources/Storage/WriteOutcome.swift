/// What became of rows that were handed to `OfficeStore.write`. Every row is counted in exactly one place.
package struct WriteOutcome: Sendable, Equatable {
    /// Applied, and committed.
    package var written = 0
    /// Had been applied before: the answer to an earlier commit was lost.
    package var repeated = 0
    /// Dropped because the room's organization is not known to the database, by reason.
    package var dropped: [LookupFailure: Int] = [:]
    /// Set aside because the database refused the data: how many, and the first of the errors.
    package var refused = 0
    package var firstRefusal: StoreError?

    package init() {}

    /// Adds a row that was not applied.
    mutating func add(_ setback: RowSetback) {
        switch setback {
        case .dropped(let reason): dropped[reason, default: 0] += 1
        case .refused(let error):
            refused += 1
            firstRefusal = firstRefusal ?? error
        }
    }

    /// Adds rows of which some were refused.
    mutating func add(_ refusals: [StoreError?]) {
        for refusal in refusals {
            if let refusal { add(.refused(refusal)) } else { written += 1 }
        }
    }

    /// Adds what became of further rows.
    mutating func add(_ other: WriteOutcome) {
        written += other.written
        repeated += other.repeated
        refused += other.refused
        firstRefusal = firstRefusal ?? other.firstRefusal
        dropped.merge(other.dropped) { $0 + $1 }
    }

    /// All of them.
    package var count: Int { written + repeated + refused + dropped.values.reduce(0, +) }
}

/// Why one row is not applied while the others are.
enum RowSetback: Error {
    /// Its room has no organization.
    case dropped(LookupFailure)
    /// The database refuses it.
    case refused(StoreError)
}

/// Where rows come from, so that each is applied once however often it is handed over.
package struct RowOrigin: Sendable, Hashable {
    /// The random id of the journal that the rows are numbered in.
    package var journal: String
    /// The number of the first row; the others follow without gaps.
    package var firstSequence: Int64

    package init(journal: String, firstSequence: Int64) {
        self.journal = journal
        self.firstSequence = firstSequence
    }
}
