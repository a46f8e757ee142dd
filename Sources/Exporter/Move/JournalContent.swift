import Journal
import Platform
import Wire

/// All that a journal holds, as it was found before a move: its newest snapshot, and how much follows that.
struct JournalContent {
    let journal: any MovableJournal
    let numbers: JournalNumbers
    /// Nil where no snapshot was ever made.
    let snapshot: Snapshot?

    /// Looks whether a start would restore all of it, so that a move loses nothing.
    ///
    /// - Parameters:
    ///   - place: the journal, for messages: `the journal in STATE_DIR`.
    ///   - cure: the way to have a start restore what it can.
    init(_ journal: any MovableJournal, _ place: String, cure: String, now: Timestamp) throws {
        self.journal = journal
        numbers = journal.numbers
        let loaded = try journal.loadSnapshots(now: now)
        snapshot = loaded.newest
        let isDamaged = !loaded.damaged.isEmpty || !loaded.ofNewerProgram.isEmpty
        if isDamaged || journal.opening.mayHaveLost || numbers.hasLost {
            throw MoveFault("\(place) is damaged, or a part of it is lost. \(cure): that restores what can be")
        }
        guard let header = snapshot?.header else {
            if numbers.eventsBase > 0 || numbers.inputsBase > 0 || numbers.unjournaledAfter != nil {
                throw MoveFault("\(place) has no snapshot of what was counted. \(cure): that makes one")
            }
            return
        }
        let isExact =
            header.journalID == numbers.id && header.isCleanStop && numbers.eventsBase <= header.eventsApplied
            && numbers.inputsBase <= header.inputsApplied && numbers.unjournaledAfter.map { $0 < header.number } ?? true
        if !isExact { throw MoveFault("\(place) does not know all that was counted. \(cure): that makes it whole") }
        if numbers.lineage.isEmpty { throw MoveFault("\(place) is of an older lkpush. \(cure), with this version") }
    }

    /// Nothing was ever counted.
    var isEmpty: Bool { snapshot == nil && numbers.isPristine }

    /// The last event and the last input that the snapshot has. What follows them is copied.
    var base: (events: Int64, inputs: Int64) {
        (snapshot?.header.eventsApplied ?? 0, snapshot?.header.inputsApplied ?? 0)
    }

    /// The last event and the last input that were applied, or are sure to be.
    var last: (events: Int64, inputs: Int64) {
        (max(base.events, numbers.lastEvent), max(base.inputs, numbers.lastInput))
    }

    // MARK: Reading

    /// Calls `body` with the entries after the snapshot, in groups of at most about 1 MiB. In a shared log these are also the
    /// events that nobody has applied.
    func forEachGroup(_ kind: EntryKind, _ body: (Group) throws -> Void) throws {
        let start = kind == .events ? base.events : base.inputs
        var next = start + 1
        var group = Group(first: next)
        func pass(_ cursor: inout any EntryCursor) throws {
            while let step = try cursor.next() {
                guard case .entry(let number, let reader) = step, number == next else {
                    throw MoveFault("\(kind) after \(next - 1) are damaged and cannot be read")
                }
                if !group.isEmpty && (group.rules != cursor.rules || group.size_bytes >= Limits.group_bytes) {
                    try body(group)
                    group = Group(first: next, rules: cursor.rules)
                } else if group.isEmpty {
                    group = Group(first: next, rules: cursor.rules)
                }
                group.append(encoded: reader.rest)
                next += 1
            }
        }
        if kind == .events && journal.isShared {
            while true {
                let before = next
                var cursor = try journal.appended(after: next - 1, limit: Limits.events)
                try pass(&cursor)
                if next == before { break }
            }
        } else {
            var cursor = journal.entries(kind, after: start)
            try pass(&cursor)
        }
        if !group.isEmpty { try body(group) }
    }

    enum Limits {
        /// The bytes of a group that are enough: the most that a leader's read brings at one time.
        static let group_bytes = 1 << 20
        /// The events that are read at one time.
        static let events = 10_000
        /// The rows of one commit.
        static let rows = 1_000
    }

    /// Calls `body` with the rows that wait for the database.
    func forEachRows(_ body: ([OutboxRow]) throws -> Void) throws {
        try forEachPage({ try journal.rows(after: $0, limit: Limits.rows) }, number: \.sequence, "rows", body)
    }

    /// Calls `body` with the dead letters.
    func forEachDeadLetters(_ body: ([DeadLetter]) throws -> Void) throws {
        try forEachPage(
            { try journal.deadLetters(after: $0, limit: Limits.rows) }, number: \.sequence, "dead letters", body)
    }

    private func forEachPage<Element>(
        _ read: (Int64) throws -> JournalPage<Element>, number: (Element) -> Int64, _ what: String,
        _ body: ([Element]) throws -> Void
    ) throws {
        var position = Int64.min
        while true {
            let page = try read(position)
            if page.damaged > 0 { throw MoveFault("\(what) in the journal are damaged and cannot be read") }
            guard let last = page.elements.last else { return }
            try body(page.elements)
            position = number(last)
        }
    }

    /// Calls `body` with the remembered ids that the snapshot does not have.
    func forEachIDs(_ body: (JournalIDSegment) throws -> Void) throws {
        guard let number = snapshot?.header.number else { return }
        var segments: [JournalIDSegment] = []
        let damaged = try journal.forEachSegment { if $0.snapshot <= number { segments.append($0) } }
        if damaged > 0 { throw MoveFault("remembered ids in the journal are damaged and cannot be read") }
        for segment in segments { try body(segment) }
    }

    /// The keys of all series that are pushed, in order.
    func series() throws -> [[UInt8]] {
        let page = try journal.shipped()
        if page.damaged > 0 { throw MoveFault("the list of pushed series is damaged and cannot be read") }
        return page.elements.sorted { $0.lexicographicallyPrecedes($1) }
    }
}
