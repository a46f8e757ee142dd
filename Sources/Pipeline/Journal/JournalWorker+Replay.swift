import Journal
import Platform
import Recording
import Storage
import Wire

// The replay: applies the entries of the journal after the snapshot, each under the rules that it was noted with.

extension JournalWorker {
    /// Applies the entries of the journal after the snapshot; false where a stop came first.
    func replay(
        _ journal: any StateJournal, without setAside: EventsSetAside, into start: inout RecorderStart,
        _ rows: inout ReplayedRows, isExact: inout Bool, _ hasNewerRules: inout Bool
    ) throws -> Bool {
        var replay = Replay(start, hand)
        var events = journal.entries(.events, after: start.events)
        var inputs = journal.entries(.inputs, after: start.inputs)
        var pending = try nextInput(&inputs, &replay)
        while let step = try events.next() {
            switch step {
            case .damaged(_, let last): replay.skip(to: last)
            case .entry(let number, var reader):
                while let input = pending, input.applied.after < number {
                    replay.apply(input)
                    pending = try nextInput(&inputs, &replay)
                }
                if setAside.appliedBefore.contains(number) {
                    replay.skip(to: number)
                    continue
                }
                let event: AcceptedEvent
                do throws(MessageFault) {
                    event = try AcceptedEvent(from: &reader)
                } catch {
                    replay.skip(to: number)
                    continue
                }
                if setAside.neverApplied.contains(number) {
                    replay.passOver(event, number)
                } else {
                    replay.apply(event, number, rules: events.rules)
                }
            }
            if try !pause(&replay, &rows, journal) { return false }
        }
        while let input = pending {
            replay.apply(input)
            pending = try nextInput(&inputs, &replay)
            if try !pause(&replay, &rows, journal) { return false }
        }
        metrics.noteReplayed(replay.count)
        if replay.isDamaged {
            metrics.noteDamage()
            isExact = false
        }
        hasNewerRules = replay.hasNewerRules
        // A journal that does not know everything that the state knows goes on after the state.
        if journal.numbers.lastEvent < replay.events || journal.numbers.lastInput < replay.inputs {
            truncation = truncation ?? Truncation()
            truncation?.events = max(replay.events, journal.numbers.lastEvent)
            truncation?.inputs = max(replay.inputs, journal.numbers.lastInput)
        }
        start.recorder = replay.recorder
        // A number that was given is not given again, even where no snapshot tells of the entries that were truncated.
        start.events = max(replay.events, journal.numbers.lastEvent)
        start.inputs = max(replay.inputs, journal.numbers.lastInput)
        try rows.takeLast(replay.takeRows(), to: journal)
        return true
    }

    /// Writes rows to disk where many were made, and tells the progress now and then; false where a stop came.
    private func pause(
        _ replay: inout Replay, _ rows: inout ReplayedRows, _ journal: any StateJournal
    ) throws(JournalError) -> Bool {
        if replay.rows.count >= ReplayedRows.Limits.portion { try rows.take(replay.takeRows(), to: journal) }
        guard replay.isPauseDue() else { return true }
        if inbox.isStartCancelled { return false }
        readiness.block(.state, because: "the state is being restored: \(replay.count) entries so far")
        return true
    }

    private func nextInput(_ cursor: inout any EntryCursor, _ replay: inout Replay) throws -> NumberedInput? {
        while let step = try cursor.next() {
            switch step {
            case .damaged(_, let last): replay.skipInputs(to: last)
            case .entry(let number, var reader):
                if let input = try? InputEntry(from: &reader) {
                    return NumberedInput(number: number, applied: input, rules: cursor.rules)
                }
                replay.skipInputs(to: number)
            }
        }
        return nil
    }

    // MARK: Ordinals

    /// Has the ordinals go on above those that earlier processes gave.
    ///
    /// Every step of the recorder applies one event or one other input, and the journal numbers both. So event number
    /// plus input number is an ordinal of all inputs, and a replay counts as the process before did. Where something is
    /// lost, entries that were numbered may be missing. Then `ordinalBase` moves what follows beyond every ordinal that
    /// was ever given.
    func findOrdinals(of start: inout RecorderStart, _ found: Found, _ journal: any StateJournal, isExact: inout Bool) {
        let last = max(start.events, journal.numbers.lastEvent) + max(start.inputs, journal.numbers.lastInput)
        guard start.ordinalBase + last < lineage.starts.last?.after ?? 0 else { return }
        // The snapshot is of a program that keeps no base. Where that program wrote rows, the database goes by their
        // numbers. Where it wrote none, the rows of its inputs are not there yet. Without a snapshot nothing is known.
        if found.header == nil { isExact = false } else { moveOrdinals(of: &start) }
    }

    /// Gives the inputs from now on higher ordinals than all inputs before.
    func moveOrdinals(of start: inout RecorderStart) {
        let last = max(start.ordinalBase + start.events + start.inputs, lineage.starts.last?.after ?? 0)
        let floor = RowBacklog.floor(at: time.now())
        start.ordinalBase = (floor > last ? floor : last + 1 << 32) - start.events - start.inputs
    }
}

/// An input other than an event, as the journal noted it.
private struct NumberedInput {
    let number: Int64
    let applied: InputEntry
    let rules: Int
}

/// A recorder that applies the entries of the journal again.
private struct Replay {
    private(set) var recorder: Recorder
    private(set) var events: Int64
    private(set) var inputs: Int64
    /// The rows made since `takeRows`, at the positions that they had before. The database may lack them.
    private(set) var rows: [NumberedRow] = []
    /// The number of the last row that was made.
    private var lastRow: Int64
    private(set) var count = 0
    private var nextPause = Replay.entriesPerPause
    private(set) var isDamaged = false
    /// Something was applied that was noted with rules which this program does not know.
    private(set) var hasNewerRules = false
    private let base: Int64
    private let hand: EventInHand?
    private var actions: [Action] = []

    init(_ start: RecorderStart, _ hand: EventInHand?) {
        self.hand = hand
        (recorder, events, inputs, base) = (start.recorder, start.events, start.inputs, start.ordinalBase)
        lastRow = start.rows
    }

    mutating func apply(_ event: AcceptedEvent, _ number: Int64, rules: Int) {
        events = number
        hand?.take(number)
        apply(.event(event.event, receivedAt: event.receivedAt), rules: rules)
        hand?.putDown()
    }

    mutating func apply(_ input: NumberedInput) {
        inputs = max(inputs, input.number)
        if input.applied.setAside == nil { apply(input.applied.input, rules: input.rules) }
    }

    /// Applies an input, and keeps only the rows of its actions. Look-ups are asked for again after the replay, and no
    /// participant is removed twice.
    private mutating func apply(_ input: Input, rules: Int) {
        count += 1
        if rules > Recorder.rules { hasNewerRules = true }
        recorder.apply(input, rules: min(rules, Recorder.rules), into: &actions)
        if !isDamaged { NumberedRow.append(actions, of: base + events + inputs, after: &lastRow, to: &rows) }
        actions.removeAll(keepingCapacity: true)
    }

    /// Entries between two looks at whether the start is cancelled: some milliseconds.
    private static let entriesPerPause = 4_096

    /// So many entries were applied since this was last true.
    mutating func isPauseDue() -> Bool {
        guard count >= nextPause else { return false }
        nextPause = count + Self.entriesPerPause
        return true
    }

    mutating func takeRows() -> [NumberedRow] {
        defer { rows.removeAll() }
        return rows
    }

    /// Leaves an event out that was never applied. It keeps its number.
    mutating func passOver(_ event: AcceptedEvent, _ number: Int64) {
        events = number
        recorder.passOver(event.event, receivedAt: event.receivedAt)
    }

    /// Skips events that are missing. Rows made after them may differ from those made before, so they are not made
    /// again.
    mutating func skip(to number: Int64) {
        events = number
        isDamaged = true
    }

    mutating func skipInputs(to number: Int64) {
        inputs = max(inputs, number)
        isDamaged = true
    }
}

extension NumberedRow {
    /// Appends the rows among the actions of one input, numbered on from `last`.
    static func append(_ actions: [Action], of input: Int64, after last: inout Int64, to rows: inout [NumberedRow]) {
        var index: Int64 = 0
        for case .store(let row) in actions {
            index += 1
            last += 1
            rows.append(NumberedRow(number: last, row: row, position: RowPosition(input: input, index: index)))
        }
    }
}
