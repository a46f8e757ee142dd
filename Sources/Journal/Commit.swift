package import Wire

/// The changes that become durable together, with one fsync: all of them or none. An empty field costs nothing.
///
/// Keep one commit and `restart` it, so that its buffers are used again.
package struct Commit: Sendable {
    /// The bounds of what a journal keeps, each with its reason.
    package enum Limits {
        /// The dead letters that are kept. A person looks at some of them; a broken schema would make millions.
        package static let deadLetters = 10_000
        /// The events with deaths that are kept. Each start adds one at most, and each snapshot removes those before it.
        package static let deaths = 1_000
    }

    /// The next events. They follow the last committed event without a gap.
    package var events: Group
    /// The next inputs other than events. They follow the last committed input without a gap.
    package var inputs: Group
    /// The last event of a shared log that the recorder applied, where this commit has what that caused. Nil for a
    /// journal that is not shared: there, events are applied after their commit.
    package var eventsApplied: Int64?
    /// The last event of a shared log that was applied to its end when the commit was made. Those after it, up to
    /// `eventsApplied`, may be the death of the process. Alone it is no reason to commit (`isEmpty`).
    package var eventsFinished: Int64?
    /// Processes died while they applied these events: one entry for each death. A truncation of events takes their
    /// deaths with it.
    package var deaths: [Int64] = []
    /// Rows for the outbox. A row replaces an earlier one with the same number.
    package var outboxRows: [OutboxRow] = []
    /// Rows up to this number are applied. They are deleted from the outbox, after `outboxRows` were added.
    package var rowsAppliedUpTo: Int64?
    /// The last input whose rows are all applied; 0 where nobody knows. Alone it is no reason to commit (`isEmpty`).
    package var inputAppliedUpTo: Int64?
    /// The starts of the program and the names of its rows, as text that the journal does not interpret.
    package var lineage: String?
    /// Rows that the database refused for their data, and events that were set aside.
    package var deadLetters: [DeadLetter] = []
    /// The remembered ids that were added since the last snapshot.
    package var ids: [JournalIDSegment] = []
    /// The time of the newest reading of any destination whose samples are sent.
    package var readingSent: Timestamp?
    /// The labels that all pushed series share, as text that the journal does not interpret. Where they are not those
    /// before, all series are removed: those that were pushed have the old labels.
    package var pushedLabels: String?
    /// Keys of the series that are pushed from now on, each with its destination. The keys in `seriesEnded` are removed
    /// first.
    package var seriesBegan: [[UInt8]] = []
    /// Keys of the series that are no longer pushed to their destination.
    package var seriesEnded: [[UInt8]] = []
    /// Entries and ids that are not needed any more.
    package var truncation: Truncation?
    /// A complete snapshot was made since the journal was opened. So an earlier loss is dealt with, and
    /// `Opening.mayHaveLost` does not report it again.
    package var coversLoss = false
    /// Events that are accepted from now on are not journaled, and the newest snapshot has this number. No snapshot up
    /// to this one knows what was counted since (`JournalNumbers.unjournaledAfter`).
    package var unjournaledAfter: Int64?

    /// - Parameter rules: the number of the rules that its events and inputs are applied under.
    package init(rules: Int = 1) {
        events = Group(rules: rules)
        inputs = Group(rules: rules)
    }

    /// A commit of it would write nothing.
    package var isEmpty: Bool {
        events.isEmpty && inputs.isEmpty && outboxRows.isEmpty && rowsAppliedUpTo == nil && deadLetters.isEmpty
            && ids.isEmpty && readingSent == nil && pushedLabels == nil && seriesBegan.isEmpty && seriesEnded.isEmpty
            && truncation == nil && !coversLoss && unjournaledAfter == nil && lineage == nil && eventsApplied == nil
            && deaths.isEmpty
    }

    /// Empties it, keeps its memory, and begins the groups anew after these numbers.
    package mutating func restart(afterEvent event: Int64, afterInput input: Int64) {
        events.restart(first: event + 1)
        inputs.restart(first: input + 1)
        eventsApplied = nil
        eventsFinished = nil
        deaths.removeAll(keepingCapacity: true)
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

/// A row for the database with its running number, in the order in which the recorder emitted rows.
package struct OutboxRow: Sendable, Equatable {
    package var sequence: Int64
    package var bytes: [UInt8]

    package init(sequence: Int64, bytes: [UInt8]) {
        self.sequence = sequence
        self.bytes = bytes
    }
}

/// A row that the database refused, or an event that was set aside, kept for a person to look at.
package struct DeadLetter: Sendable, Equatable {
    package var sequence: Int64
    package var at: Timestamp
    /// The message of the database, or why the event was set aside.
    package var reason: String
    /// The row or the event in readable form.
    package var row: String

    package init(sequence: Int64, at: Timestamp, reason: String, row: String) {
        self.sequence = sequence
        self.at = at
        self.reason = reason
        self.row = row
    }

    /// Makes a dead letter of an event that processes died of. Rows of the database never have its number.
    ///
    /// - Parameters:
    ///   - event: the number of the event.
    ///   - row: the event in readable form.
    package init(event: Int64, at: Timestamp, reason: String, row: String) {
        self.init(sequence: Self.firstOfEvents + event, at: at, reason: reason, row: row)
    }

    /// Above the number of any row. So events are the last to make room.
    private static let firstOfEvents: Int64 = 1 << 62
}

/// Ids of one kind that were added between two snapshots.
package struct JournalIDSegment: Sendable, Equatable {
    /// The number of the snapshot that the ids belong to.
    package var snapshot: Int64
    package var kind: Int
    /// The time when the youngest id was added. The whole segment expires with it.
    package var latest: Timestamp
    package var bytes: [UInt8]

    package init(snapshot: Int64, kind: Int, latest: Timestamp, bytes: [UInt8]) {
        self.snapshot = snapshot
        self.kind = kind
        self.latest = latest
        self.bytes = bytes
    }
}

/// Entries and ids that the journal may forget, because the older snapshot stands for them.
package struct Truncation: Sendable, Equatable {
    /// Id segments of one kind whose latest id was added at this time or before.
    package struct Expiry: Sendable, Equatable {
        package var kind: Int
        package var latest: Timestamp

        package init(kind: Int, latest: Timestamp) {
            self.kind = kind
            self.latest = latest
        }
    }

    /// Events up to this number may go. A number beyond the last committed event moves the numbering on: the next event
    /// follows it.
    package var events: Int64?
    /// Inputs up to this number may go, by the same rule.
    package var inputs: Int64?
    package var expiredIDs: [Expiry] = []
    /// Id segments of snapshots above this number may go. A restart fell back to an older snapshot, so they are not
    /// used.
    package var idsAboveSnapshot: Int64?

    package init(events: Int64? = nil, inputs: Int64? = nil) {
        self.events = events
        self.inputs = inputs
    }
}
