import Journal
import Platform
import Wire

@testable import Pipeline

/// A log that several processes share, in memory: a model of what an engine has to do. Commits are fenced by their
/// epoch, and can be made to fail, with or without effect.
final class MemoryLog: Sendable {
    struct Entry: Sendable, Equatable {
        var number: Int64
        var rules: Int
        var bytes: [UInt8]
    }

    /// The end of a commit.
    enum Fault: Sendable, CaseIterable {
        case none
        /// It fails and has no effect.
        case lost
        /// It takes effect, and the caller is told of an error.
        case ambiguous
    }

    struct Contents: Sendable {
        var epoch: Int64 = 0
        var numbers = JournalNumbers()
        var groups: [ProducedGroup] = []
        var events: [Entry] = []
        var inputs: [Entry] = []
        /// Entries that were removed as truncated are still here, so that a test can apply everything again.
        var allEvents: [Entry] = []
        var allInputs: [Entry] = []
        var rows: [Int64: OutboxRow] = [:]
        var ids: [(commit: Int, segment: JournalIDSegment)] = []
        var series: Set<[UInt8]> = []
        /// The readings that were committed, with the epoch that did so.
        var readings: [(epoch: Int64, at: Timestamp)] = []
        var snapshots: [Snapshot] = []
        /// The faults of the next commits.
        var faults: [Fault] = []
        /// All commits and openings fail while it is true.
        var isAway = false
        /// Commits wait while it is true.
        var isHeld = false
        var waiting = 0
        var commits = 0
    }

    let contents = Monitor(Contents())

    init() { contents.change { $0.numbers.id = String(repeating: "1", count: 32) } }

    /// Appends groups as an engine does: a group that is there already changes nothing.
    func append(_ groups: [ProducedGroup]) {
        contents.change { contents in
            for group in groups {
                if contents.groups.contains(where: { $0.producer == group.producer && $0.number == group.number }) {
                    continue
                }
                contents.groups.append(group)
                for (rules, bytes) in Self.entries(of: group.bytes) {
                    let number = Int64(contents.allEvents.count) + 1
                    contents.events.append(Entry(number: number, rules: rules, bytes: bytes))
                    contents.allEvents.append(Entry(number: number, rules: rules, bytes: bytes))
                }
            }
        }
    }

    /// Takes the lease for another process: every later commit of earlier ones is refused.
    func takeOver() -> Int64 {
        contents.change { contents in
            contents.epoch += 1
            return contents.epoch
        }
    }

    func hold(_ isHeld: Bool) { contents.change { $0.isHeld = isHeld } }
    func away(_ isAway: Bool) { contents.change { $0.isAway = isAway } }
    func fail(_ faults: Fault...) { contents.change { $0.faults = faults } }
    var isWaiting: Bool { contents.withLock { $0.waiting > 0 } }
    var numbers: JournalNumbers { contents.withLock { $0.numbers } }

    func opener(_ epoch: Int64) -> OpenJournal {
        { [self] _ throws(JournalError) in .opened(try MemoryLogJournal(self, epoch)) }
    }

    /// The entries of a group, each with the rules that it was noted with.
    static func entries(of bytes: [UInt8]) -> [(rules: Int, bytes: [UInt8])] {
        var reader = MessageReader(bytes)
        var rules = 1
        var entries: [(rules: Int, bytes: [UInt8])] = []
        // The group was encoded a moment ago, so it can be read.
        while let field = try? reader.next() {
            switch field {
            case Group.entryField: if let bytes = try? reader.byteArray() { entries.append((rules, bytes)) }
            case Group.rulesField: rules = (try? reader.int64()).map { Int($0) } ?? rules
            default: try? reader.skip()
            }
        }
        return entries
    }
}

/// The journal of a process that leads under an epoch.
private final class MemoryLogJournal: StateJournal {
    private let log: MemoryLog
    private let epoch: Int64
    private(set) var numbers = JournalNumbers()
    private(set) var opening = Opening()
    private var failure: JournalError?
    /// A commit whose outcome the caller does not know: the numbers before it, and its own number where it took
    /// effect.
    private var unknown: (numbers: JournalNumbers, commit: Int?)?
    let snapshotWriter: any SnapshotWriter

    init(_ log: MemoryLog, _ epoch: Int64) throws(JournalError) {
        self.log = log
        self.epoch = epoch
        snapshotWriter = Writer(log: log, epoch: epoch)
        opening = try reopened()
    }

    private struct Writer: SnapshotWriter {
        let log: MemoryLog
        let epoch: Int64

        func save(_ header: SnapshotHeader, _ body: [UInt8]) throws(JournalError) {
            let isSaved = log.contents.change { contents in
                guard contents.epoch == epoch, !contents.isAway else { return false }
                contents.snapshots.append(Snapshot(header: header, body: body))
                contents.snapshots = contents.snapshots.suffix(2)
                return true
            }
            if !isSaved { throw JournalError(.other, "the snapshot is refused") }
        }
    }

    var isOpen: Bool { failure == nil }
    var isShared: Bool { true }
    var sendsLateReadings: Bool { false }

    private func failed(_ error: JournalError) -> JournalError {
        failure = error
        return error
    }

    private static func refusal(_ contents: MemoryLog.Contents, _ epoch: Int64) -> JournalError? {
        if contents.isAway { return JournalError(.other, "told to be away") }
        return contents.epoch == epoch ? nil : JournalError(.replaced, "epoch \(epoch) is over")
    }

    // MARK: Opening

    func reopen(now: Timestamp) throws(JournalError) -> Opening {
        if isOpen { return Opening() }
        opening = try reopened()
        return opening
    }

    /// Takes back what an unknown commit added, so that its numbers can be given again.
    private func reopened() throws(JournalError) -> Opening {
        let unknown = unknown
        let (error, numbers): (JournalError?, JournalNumbers) = log.contents.change { contents in
            if let error = Self.refusal(contents, epoch) { return (error, contents.numbers) }
            if let unknown, let commit = unknown.commit {
                contents.inputs.removeAll { $0.number > unknown.numbers.lastInput }
                contents.allInputs.removeAll { $0.number > unknown.numbers.lastInput }
                contents.ids.removeAll { $0.commit == commit }
                contents.numbers.lastInput = max(unknown.numbers.lastInput, contents.numbers.inputsBase)
                contents.numbers.lastEvent = max(unknown.numbers.lastEvent, contents.numbers.eventsBase)
            }
            return (nil, contents.numbers)
        }
        if let error { throw failed(error) }
        (self.numbers, self.unknown, failure) = (numbers, nil, nil)
        return Opening()
    }

    func close() { if failure == nil { failure = JournalError(.other, "the journal is closed") } }

    // MARK: Writing

    func commit(_ commit: Commit) throws(JournalError) -> CommitReceipt {
        if commit.isEmpty { return CommitReceipt() }
        if let failure { throw failure }
        try check(commit)
        log.contents.change { $0.waiting += 1 }
        _ = log.contents.wait(until: nil) { $0.isHeld ? nil : true }
        let before = numbers
        let (error, after, number): (JournalError?, JournalNumbers, Int?) = log.contents.change { contents in
            contents.waiting -= 1
            if let error = Self.refusal(contents, epoch) { return (error, before, nil) }
            let fault = contents.faults.isEmpty ? .none : contents.faults.removeFirst()
            if fault == .lost { return (JournalError(.other, "told to fail"), before, nil) }
            contents.commits += 1
            Self.apply(commit, epoch, to: &contents)
            let error = fault == .ambiguous ? JournalError(.other, "told to lose the answer") : nil
            return (error, contents.numbers, contents.commits)
        }
        if let error {
            unknown = (before, number)
            throw failed(error)
        }
        numbers = after
        return CommitReceipt()
    }

    private func check(_ commit: Commit) throws(JournalError) {
        guard commit.events.isEmpty else { throw JournalError(.other, "events are appended, not committed") }
        let lastInput = max(numbers.lastInput, commit.truncation?.inputs ?? 0)
        if !commit.inputs.isEmpty && commit.inputs.first != lastInput + 1 {
            throw JournalError(.other, "inputs begin at \(commit.inputs.first) after \(lastInput)")
        }
        if let applied = commit.eventsApplied, applied < numbers.lastEvent {
            throw JournalError(.other, "event \(applied) was applied after \(numbers.lastEvent)")
        }
    }

    private static func apply(_ commit: Commit, _ epoch: Int64, to contents: inout MemoryLog.Contents) {
        var numbers = contents.numbers
        numbers.eventsBase = max(numbers.eventsBase, commit.truncation?.events ?? 0)
        numbers.inputsBase = max(numbers.inputsBase, commit.truncation?.inputs ?? 0)
        numbers.lastEvent = max(numbers.lastEvent, numbers.eventsBase, commit.eventsApplied ?? 0)
        numbers.eventsFinished = max(numbers.eventsFinished, commit.eventsFinished ?? 0)
        numbers.lastInput = max(numbers.lastInput, numbers.inputsBase)
        for (index, entry) in MemoryLog.entries(of: commit.inputs.bytes).enumerated() {
            let number = commit.inputs.first + Int64(index)
            contents.inputs.append(MemoryLog.Entry(number: number, rules: entry.rules, bytes: entry.bytes))
            contents.allInputs.append(MemoryLog.Entry(number: number, rules: entry.rules, bytes: entry.bytes))
            numbers.lastInput = number
        }
        contents.events.removeAll { $0.number <= numbers.eventsBase }
        contents.inputs.removeAll { $0.number <= numbers.inputsBase }
        for row in commit.outboxRows { contents.rows[row.sequence] = row }
        if let applied = commit.rowsAppliedUpTo {
            contents.rows = contents.rows.filter { $0.key > applied }
            numbers.rowsApplied = applied
        }
        if let input = commit.inputAppliedUpTo { numbers.inputApplied = input }
        if let lineage = commit.lineage { numbers.lineage = lineage }
        for segment in commit.ids { contents.ids.append((contents.commits, segment)) }
        if let number = commit.truncation?.idsAboveSnapshot {
            contents.ids.removeAll { $0.segment.snapshot > number }
        }
        if let number = commit.unjournaledAfter { numbers.unjournaledAfter = number }
        if let at = commit.readingSent {
            numbers.lastReading = at
            contents.readings.append((epoch, at))
        }
        if let labels = commit.pushedLabels, labels != numbers.pushedLabels {
            numbers.pushedLabels = labels
            contents.series = []
        }
        contents.series.subtract(commit.seriesEnded)
        contents.series.formUnion(commit.seriesBegan)
        contents.numbers = numbers
    }

    // MARK: Reading

    private struct Cursor: EntryCursor {
        var entries: ArraySlice<MemoryLog.Entry>
        var rules = 1

        mutating func next() throws(JournalError) -> EntryStep? {
            guard let entry = entries.popFirst() else { return nil }
            rules = entry.rules
            return .entry(number: entry.number, MessageReader(entry.bytes))
        }
    }

    func entries(_ kind: EntryKind, after number: Int64) -> any EntryCursor {
        let last = numbers.lastEvent
        return log.contents.withLock { contents in
            switch kind {
            case .events: Cursor(entries: contents.events.filter { $0.number > number && $0.number <= last }[...])
            case .inputs: Cursor(entries: contents.inputs.filter { $0.number > number }[...])
            }
        }
    }

    func appended(after number: Int64, limit: Int) throws(JournalError) -> any EntryCursor {
        let found: [MemoryLog.Entry]? = log.contents.withLock { contents in
            contents.isAway ? nil : Array(contents.events.lazy.filter { $0.number > number }.prefix(limit))
        }
        guard let found else { throw JournalError(.other, "told to be away") }
        return Cursor(entries: found[...])
    }

    func rows(after number: Int64, limit: Int) throws(JournalError) -> JournalPage<OutboxRow> {
        var page = JournalPage<OutboxRow>()
        page.elements = log.contents.withLock { contents in
            contents.rows.values.filter { $0.sequence > number }.sorted { $0.sequence < $1.sequence }
                .prefix(limit).map { $0 }
        }
        return page
    }

    func rowExtent() throws(JournalError) -> (oldest: Int64, newest: Int64)? {
        log.contents.withLock { contents in
            guard let oldest = contents.rows.keys.min(), let newest = contents.rows.keys.max() else { return nil }
            return (oldest, newest)
        }
    }

    func forEachSegment(_ body: (JournalIDSegment) -> Void) throws(JournalError) -> Int {
        log.contents.withLock { $0.ids.map(\.segment) }.forEach(body)
        return 0
    }

    func shipped() throws(JournalError) -> JournalPage<[UInt8]> {
        var page = JournalPage<[UInt8]>()
        page.elements = log.contents.withLock { Array($0.series) }
        return page
    }

    func loadSnapshots(now: Timestamp) throws(JournalError) -> LoadedSnapshots {
        var loaded = LoadedSnapshots()
        let snapshots = log.contents.withLock { $0.snapshots }
        loaded.newest = snapshots.last
        loaded.older = snapshots.count > 1 ? snapshots.first?.header : nil
        loaded.highestNumber = snapshots.last?.header.number ?? 0
        return loaded
    }

    // MARK: Maintenance

    func moveAsideSnapshot(_ number: Int64, now: Timestamp) throws(JournalError) {
        log.contents.change { $0.snapshots.removeAll { $0.header.number == number } }
    }

    func dropOldestRows(_ count: Int) throws(JournalError) -> Int { 0 }

    func size_bytes() throws(JournalError) -> Int { 0 }
}
