package import Wire

/// What becomes durable at once: all of it or nothing, with one fsync. Whatever is empty costs nothing.
///
/// Keep one and `restart` it: its buffers are used again.
package struct Commit: Sendable {
    /// The bounds of what a journal keeps, each with its reason.
    package enum Limits {
        /// Dead letters: a person looks at some of them; a broken schema would make millions.
        package static let deadLetters = 10_000
    }

    /// The next events; they follow the last committed one without a gap.
    package var events: Group
    /// The next inputs that are not events; they follow the last committed one without a gap.
    package var inputs: Group
    /// Rows for the database that leave memory. One that is there already is replaced.
    package var outboxRows: [OutboxRow] = []
    /// The database has the rows up to this number: they are deleted, after `spilled` was added.
    package var rowsAppliedUpTo: Int64?
    /// The last input whose rows the database has, all of them; with `rowsAppliedUpTo`.
    package var inputAppliedUpTo: Int64?
    /// Who may write rows under which name, in whatever form.
    package var lineage: String?
    /// Rows that the database refused for their data.
    package var deadLetters: [DeadLetter] = []
    /// What is to be remembered since the last snapshot.
    package var ids: [JournalIDSegment] = []
    /// The time of the last sample that was pushed.
    package var readingSent: Timestamp?
    /// The labels that all pushed series have in common, in whatever form.
    package var pushedLabels: String?
    /// Keys of series that are pushed from now on; those in `seriesEnded` are taken out before.
    package var seriesBegan: [[UInt8]] = []
    /// Keys of series that are no longer pushed.
    package var seriesEnded: [[UInt8]] = []
    /// What nobody needs any more.
    package var truncation: Truncation?
    /// A snapshot of everything was made since the journal was opened: what was lost before is dealt with, and is not
    /// told again (`Opening.mayHaveLost`).
    package var coversLoss = false
    /// From now on events are accepted that are not journaled; the newest snapshot has this number. It and those before
    /// it do not tell what was counted since (`JournalFile.unjournaledAfter`).
    package var unjournaledAfter: Int64?

    /// - Parameter rules: the number of the rules that its events and inputs are applied under.
    package init(rules: Int = 1) {
        events = Group(rules: rules)
        inputs = Group(rules: rules)
    }

    /// Nothing would be written.
    package var isEmpty: Bool {
        events.isEmpty && inputs.isEmpty && outboxRows.isEmpty && rowsAppliedUpTo == nil && deadLetters.isEmpty
            && ids.isEmpty && readingSent == nil && pushedLabels == nil && seriesBegan.isEmpty && seriesEnded.isEmpty
            && truncation == nil && !coversLoss && unjournaledAfter == nil && lineage == nil
    }

    /// Forgets everything, keeps the memory, and begins the groups anew after these numbers.
    package mutating func restart(afterEvent event: Int64, afterInput input: Int64) {
        events.restart(first: event + 1)
        inputs.restart(first: input + 1)
        outboxRows.removeAll(keepingCapacity: true)
        rowsAppliedUpTo = nil
        inputAppliedUpTo = nil
        lineage = nil
        deadLetters.removeAll(keepingCapacity: true)
        ids.removeAll(keepingCapacity: true)
        readingSent = nil
        pushedLabels = nil
        seriesBegan.removeAll(keepingCapacity: true)
        seriesEnded.removeAll(keepingCapacity: true)
        truncation = nil
        coversLoss = false
        unjournaledAfter = nil
    }
}

/// A row for the database, numbered in the order in which the recorder emitted it.
package struct OutboxRow: Sendable, Equatable {
    package var sequence: Int64
    package var bytes: [UInt8]

    package init(sequence: Int64, bytes: [UInt8]) {
        self.sequence = sequence
        self.bytes = bytes
    }
}

/// A row that the database refused, kept for a person to look at.
package struct DeadLetter: Sendable, Equatable {
    package var sequence: Int64
    package var at: Timestamp
    /// The database's own words.
    package var reason: String
    /// The row in readable form.
    package var row: String

    package init(sequence: Int64, at: Timestamp, reason: String, row: String) {
        self.sequence = sequence
        self.at = at
        self.reason = reason
        self.row = row
    }
}

/// Ids of one kind that were added between two snapshots.
package struct JournalIDSegment: Sendable, Equatable {
    /// The number of the snapshot that the ids belong to.
    package var snapshot: Int64
    package var kind: Int
    /// When the youngest of them was added: with it the whole segment expires.
    package var latest: Timestamp
    package var bytes: [UInt8]

    package init(snapshot: Int64, kind: Int, latest: Timestamp, bytes: [UInt8]) {
        self.snapshot = snapshot
        self.kind = kind
        self.latest = latest
        self.bytes = bytes
    }
}

/// What the journal may forget.
package struct Truncation: Sendable, Equatable {
    /// Segments of one kind whose latest id is as old as this or older.
    package struct Expiry: Sendable, Equatable {
        package var kind: Int
        package var latest: Timestamp

        package init(kind: Int, latest: Timestamp) {
            self.kind = kind
            self.latest = latest
        }
    }

    /// Events up to this number. Beyond the last committed one it moves the numbering on: the next event follows it.
    package var events: Int64?
    /// Inputs up to this number, likewise.
    package var inputs: Int64?
    package var expiredIDs: [Expiry] = []
    /// Segments of snapshots above this number, which are not used: a restart falls back to an older one.
    package var idsAboveSnapshot: Int64?

    package init(events: Int64? = nil, inputs: Int64? = nil) {
        self.events = events
        self.inputs = inputs
    }
}
