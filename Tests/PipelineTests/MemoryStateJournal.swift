import Journal
import Platform
import Wire

/// An engine of the journal that keeps everything in memory. It does what the port asks for, without SQLite. Its
/// commits can be made to fail.
final class MemoryStateJournal: StateJournal {
    /// The part that survives a crash. The engine that is opened next shares it.
    final class Disk: SnapshotWriter, Sendable {
        struct Contents: Sendable {
            var numbers = JournalNumbers()
            var events: [(number: Int64, rules: Int, bytes: [UInt8])] = []
            var inputs: [(number: Int64, rules: Int, bytes: [UInt8])] = []
            var rows: [Int64: OutboxRow] = [:]
            var ids: [JournalIDSegment] = []
            var series: Set<[UInt8]> = []
            var readings: [Timestamp] = []
            var snapshots: [Snapshot] = []
            var isFailing = false
            var isNew = true
            /// The file is gone when the engine opens it again after a failure.
            var isNewWhenReopened = false
            var sendsLateReadings = false
            /// The series after each commit, the oldest first.
            var seriesByCommit: [Set<[UInt8]>] = []
            /// A commit has begun and waits until it may go on.
            var isWaiting = false
            var isHeld = false
        }

        let contents = Monitor(Contents())

        /// Makes commits wait from now on, or lets them go on.
        func hold(_ isHeld: Bool) { contents.change { $0.isHeld = isHeld } }

        func save(_ header: SnapshotHeader, _ body: [UInt8]) throws(JournalError) {
            contents.change { $0.snapshots.append(Snapshot(header: header, body: body)) }
        }

        func fail(_ isFailing: Bool) { contents.change { $0.isFailing = isFailing } }

        /// Opens an engine on this disk.
        var opener: OpenJournal {
            { [self] _ throws(JournalError) in .opened(MemoryStateJournal(self)) }
        }
    }

    private let disk: Disk
    let opening: Opening
    private(set) var isOpen = true

    init(_ disk: Disk) {
        self.disk = disk
        var opening = Opening()
        disk.contents.change { contents in
            opening.isNew = contents.isNew
            if contents.isNew { contents.numbers.id = String(repeating: "1", count: 32) }
            contents.isNew = false
        }
        self.opening = opening
    }

    var numbers: JournalNumbers { disk.contents.withLock { $0.numbers } }
    var sendsLateReadings: Bool { disk.contents.withLock { $0.sendsLateReadings } }
    var snapshotWriter: any SnapshotWriter { disk }

    func commit(_ commit: Commit) throws(JournalError) -> CommitReceipt {
        disk.contents.change { $0.isWaiting = $0.isHeld }
        _ = disk.contents.wait(until: nil) { $0.isHeld ? nil : true }
        let isDone = disk.contents.change { contents in
            contents.isWaiting = false
            if contents.isFailing { return false }
            Self.apply(commit, to: &contents)
            contents.seriesByCommit.append(contents.series)
            return true
        }
        guard isDone else {
            isOpen = false
            throw JournalError(.other, "told to fail")
        }
        return CommitReceipt()
    }

    private static func apply(_ commit: Commit, to contents: inout Disk.Contents) {
        if let base = commit.truncation?.events { contents.numbers.eventsBase = max(contents.numbers.eventsBase, base) }
        if let base = commit.truncation?.inputs { contents.numbers.inputsBase = max(contents.numbers.inputsBase, base) }
        contents.numbers.lastEvent = max(contents.numbers.lastEvent, contents.numbers.eventsBase)
        contents.numbers.lastInput = max(contents.numbers.lastInput, contents.numbers.inputsBase)
        contents.events += entries(of: commit.events)
        contents.inputs += entries(of: commit.inputs)
        if !commit.events.isEmpty { contents.numbers.lastEvent = commit.events.last }
        if !commit.inputs.isEmpty { contents.numbers.lastInput = commit.inputs.last }
        for row in commit.outboxRows { contents.rows[row.sequence] = row }
        if let applied = commit.rowsAppliedUpTo { contents.rows = contents.rows.filter { $0.key > applied } }
        if let input = commit.inputAppliedUpTo { contents.numbers.inputApplied = input }
        if let lineage = commit.lineage { contents.numbers.lineage = lineage }
        contents.ids += commit.ids
        for event in commit.deaths { contents.numbers.deaths[event, default: 0] += 1 }
        contents.numbers.deadLetterCount += commit.deadLetters.count
        if let at = commit.readingSent {
            contents.numbers.lastReading = at
            contents.readings.append(at)
        }
        if let labels = commit.pushedLabels, labels != contents.numbers.pushedLabels {
            contents.numbers.pushedLabels = labels
            contents.series = []
        }
        contents.series.subtract(commit.seriesEnded)
        contents.series.formUnion(commit.seriesBegan)
    }

    private static func entries(of group: Group) -> [(number: Int64, rules: Int, bytes: [UInt8])] {
        var reader = MessageReader(group.bytes)
        var entries: [(number: Int64, rules: Int, bytes: [UInt8])] = []
        // The group was encoded a moment ago, so it can be read.
        while let field = try? reader.next() {
            guard field == Group.entryField, let bytes = try? reader.byteArray() else {
                try? reader.skip()
                continue
            }
            entries.append((group.first + Int64(entries.count), group.rules, bytes))
        }
        return entries
    }

    // MARK: Reading

    private struct Cursor: EntryCursor {
        var entries: ArraySlice<(number: Int64, rules: Int, bytes: [UInt8])>
        var rules = 1

        mutating func next() throws(JournalError) -> EntryStep? {
            guard let entry = entries.popFirst() else { return nil }
            rules = entry.rules
            return .entry(number: entry.number, MessageReader(entry.bytes))
        }
    }

    func entries(_ kind: EntryKind, after number: Int64) -> any EntryCursor {
        disk.contents.withLock { contents in
            Cursor(entries: (kind == .events ? contents.events : contents.inputs).filter { $0.number > number }[...])
        }
    }

    func rows(after number: Int64, limit: Int) throws(JournalError) -> JournalPage<OutboxRow> {
        var page = JournalPage<OutboxRow>()
        page.elements = disk.contents.withLock { contents in
            contents.rows.values.filter { $0.sequence > number }.sorted { $0.sequence < $1.sequence }
                .prefix(limit).map { $0 }
        }
        return page
    }

    func rowExtent() throws(JournalError) -> (oldest: Int64, newest: Int64)? {
        disk.contents.withLock { contents in
            guard let oldest = contents.rows.keys.min(), let newest = contents.rows.keys.max() else { return nil }
            return (oldest, newest)
        }
    }

    func forEachSegment(_ body: (JournalIDSegment) -> Void) throws(JournalError) -> Int {
        disk.contents.withLock { $0.ids }.forEach(body)
        return 0
    }

    func shipped() throws(JournalError) -> JournalPage<[UInt8]> {
        var page = JournalPage<[UInt8]>()
        page.elements = disk.contents.withLock { Array($0.series) }
        return page
    }

    func loadSnapshots(now: Timestamp) throws(JournalError) -> LoadedSnapshots {
        var loaded = LoadedSnapshots()
        disk.contents.withLock { contents in
            loaded.newest = contents.snapshots.last
            loaded.highestNumber = contents.snapshots.last?.header.number ?? 0
        }
        return loaded
    }

    // MARK: Keeping it small and well

    func moveAsideSnapshot(_ number: Int64, now: Timestamp) throws(JournalError) {
        disk.contents.change { $0.snapshots.removeAll { $0.header.number == number } }
    }

    func dropOldestRows(_ count: Int) throws(JournalError) -> Int { 0 }

    func size_bytes() throws(JournalError) -> Int { 0 }

    func reopen(now: Timestamp) throws(JournalError) -> Opening {
        if disk.contents.withLock({ $0.isFailing }) { throw JournalError(.other, "told to fail") }
        isOpen = true
        var opening = Opening()
        disk.contents.change { contents in
            guard contents.isNewWhenReopened else { return }
            contents.isNewWhenReopened = false
            opening.isNew = true
            contents.numbers = JournalNumbers()
            contents.numbers.id = String(repeating: "2", count: 32)
            (contents.events, contents.inputs, contents.rows) = ([], [], [:])
        }
        return opening
    }

    func close() { isOpen = false }
}
