import Journal
import Platform
import Wire

/// Copies the content of one journal to another that is empty. A start from the copy restores what a start from the
/// original would.
package struct JournalCopy {
    /// The amounts that were copied.
    package struct Summary: Sendable, Equatable {
        package var lastEvent: Int64 = 0
        /// Events and other inputs that follow the snapshot.
        package var entries = 0
        package var rows = 0
        package var deadLetters = 0
        package var series = 0
        package var snapshot_bytes = 0

        var text: String {
            "state up to event \(lastEvent) (\(ByteCount(snapshot_bytes)) and \(entries) entries after it), \(rows) rows that "
                + "wait for the database, \(deadLetters) dead letters, \(series) pushed series"
        }
    }

    let content: JournalContent
    let target: any MovableJournal
    /// Appends events to the target; nil where a commit does.
    let eventLog: (any EventLog)?
    /// Is called before each step.
    let step: () throws -> Void
    private let producer = RandomID.make()

    /// Counts what would be copied. It writes nothing.
    static func summary(of content: JournalContent) throws -> Summary {
        var summary = Summary()
        try content.forEachGroup(.events) {
            summary.lastEvent = $0.last; summary.entries += $0.count
        }
        try content.forEachGroup(.inputs) { summary.entries += $0.count }
        summary.lastEvent = max(summary.lastEvent, content.last.events)
        try content.forEachRows { summary.rows += $0.count }
        try content.forEachDeadLetters { summary.deadLetters += $0.count }
        summary.series = try content.series().count
        summary.snapshot_bytes = content.snapshot?.body.count ?? 0
        return summary
    }

    /// Copies everything, and compares both.
    func run() throws -> Summary {
        guard target.numbers.isPristine else { throw MoveFault("the journal to move to is not empty") }
        try begin()
        try copyEntries()
        try content.forEachRows { rows in try commit { $0.outboxRows = rows } }
        try content.forEachDeadLetters { letters in try commit { $0.deadLetters = letters } }
        try content.forEachIDs { segment in try commit { $0.ids = [segment] } }
        let series = try content.series()
        for start in stride(from: 0, to: series.count, by: JournalContent.Limits.rows) {
            let keys = Array(series[start..<min(start + JournalContent.Limits.rows, series.count)])
            try commit { $0.seriesBegan = keys }
        }
        if var header = content.snapshot?.header, let body = content.snapshot?.body {
            header.journalID = target.numbers.id
            try step()
            try target.snapshotWriter.save(header, body)
        }
        try complete()
        return try compare()
    }

    /// Moves the numbering on. Labels come first, because new ones remove all series.
    private func begin() throws {
        let (numbers, base) = (content.numbers, content.base)
        try commit { commit in
            if base.events > 0 || base.inputs > 0 {
                commit.truncation = Truncation(events: base.events, inputs: base.inputs)
            }
            if !numbers.pushedLabels.isEmpty { commit.pushedLabels = numbers.pushedLabels }
        }
    }

    private func copyEntries() throws {
        try content.forEachGroup(.inputs) { group in try commit { $0.inputs = group } }
        var number: Int64 = 0
        try content.forEachGroup(.events) { group in
            guard let eventLog else { return try commit { $0.events = group } }
            number += 1
            try step()
            let last = try eventLog.append([
                ProducedGroup(producer: producer, number: number, count: group.count, bytes: group.bytes)
            ])
            guard last == group.last else {
                throw MoveFault("somebody else appends to the log: stop every replica, and move again")
            }
        }
    }

    private func complete() throws {
        let (numbers, last) = (content.numbers, content.last)
        try commit { commit in
            if eventLog != nil && last.events > target.numbers.lastEvent { commit.eventsApplied = last.events }
            commit.deaths = numbers.deaths.sorted { $0.key < $1.key }.flatMap {
                [Int64](repeating: $0.key, count: $0.value)
            }
            if numbers.rowsApplied > 0 { commit.rowsAppliedUpTo = numbers.rowsApplied }
            if numbers.inputApplied > 0 { commit.inputAppliedUpTo = numbers.inputApplied }
            if !numbers.lineage.isEmpty { commit.lineage = numbers.lineage }
            commit.readingSent = numbers.lastReading
            commit.unjournaledAfter = numbers.unjournaledAfter
        }
    }

    private func commit(_ fill: (inout Commit) throws -> Void) throws {
        try step()
        var commit = Commit()
        try fill(&commit)
        try target.commit(commit)
    }

    // MARK: Comparing

    /// Reads the copy again. A difference is a fault of this program, so nothing is moved then.
    private func compare() throws -> Summary {
        let copy = try JournalContent(target, "the copy", cure: "Move again", now: SystemTime().now())
        let (from, to) = (content.numbers, copy.numbers)
        let isSame =
            copy.snapshot?.body == content.snapshot?.body && copy.base == content.base
            && to.lastInput == content.last.inputs && to.lastEvent >= content.last.events
            && to.rowsApplied == from.rowsApplied && to.inputApplied == from.inputApplied && to.lineage == from.lineage
            && to.lastReading == from.lastReading && to.pushedLabels == from.pushedLabels
            && to.unjournaledAfter == from.unjournaledAfter
        let (summary, original) = (try JournalCopy.summary(of: copy), try JournalCopy.summary(of: content))
        guard isSame, summary == original else {
            throw MoveFault(
                "the copy differs from the original, so the original stays in use: \(summary) of \(original)")
        }
        return summary
    }
}
