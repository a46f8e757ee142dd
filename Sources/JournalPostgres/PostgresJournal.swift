import Journal
import Platform
import Postgres
import Storage
import Wire

/// The journal of a log that several processes share, as the process uses it that leads the log under one epoch.
///
/// Every transaction begins with the fence: where another process took the lease meanwhile, it fails as a whole. It belongs
/// to the thread that opened it.
///
/// A commit whose outcome is unknown may be there, or may even arrive later, from a buffer on the way. So each commit
/// replaces a random number in the row of the state, the serial, and only if the one before is still there. `reopen` waits
/// for whoever has that row, looks which serial is in it, and puts a new one there. Then nothing can arrive any more. What
/// the unknown commit added is taken back, so that the caller repeats it under the same numbers.
final class PostgresJournal: StateJournal {
    let connection: LogConnection
    let epoch: Int64
    let log: BinaryValue
    private(set) var numbers = JournalNumbers()
    private(set) var opening = Opening()
    /// The reason why it is not open.
    private var failure: JournalError?
    /// The serial in the row of the state.
    private var serial: Int64 = 0
    /// It was open before.
    private var isUsed = false
    /// The last commit, while nobody knows what became of it.
    private var unknown: UnknownCommit?
    /// The serials of attempts to open that failed since: one of them may be in the row, because its answer was lost.
    private var openings: [Int64] = []
    /// More attempts than an hour of a database that is away brings.
    private static let mostOpenings = 10_000
    private let snapshots: PostgresSnapshots

    /// The part of a commit with an unknown outcome that has to be taken back. The rest of it may be done twice.
    private struct UnknownCommit {
        /// The serial that it would leave.
        let serial: Int64
        /// The numbers before it.
        let numbers: JournalNumbers
        let deaths: [Int64]
    }

    /// Opens the journal.
    /// - Parameter hasLost: something that had been committed is known to be missing.
    init(_ place: LogPlace, epoch: Int64, snapshotFormat: Int, hasLost: Bool) throws(JournalError) {
        connection = LogConnection(place)
        self.epoch = epoch
        log = .text(place.name)
        snapshots = PostgresSnapshots(place: place, epoch: epoch, format: snapshotFormat)
        opening = try open(hasLost: hasLost)
    }

    var isOpen: Bool { failure == nil }
    var isShared: Bool { true }
    var sendsLateReadings: Bool { false }
    var snapshotWriter: any SnapshotWriter { snapshots }

    // MARK: Opening

    func reopen(now: Timestamp) throws(JournalError) -> Opening {
        if isOpen { return Opening() }
        opening = try open(hasLost: false)
        return opening
    }

    func close() {
        connection.close()
        if failure == nil { failure = JournalError(.other, "the journal is closed") }
    }

    /// Reads the numbers, after what is unknown was taken back.
    private func open(hasLost: Bool) throws(JournalError) -> Opening {
        let next = Int64.random(in: 1 ... .max)
        var calls = [LogCall(Self.fence, log, .integer(epoch)), LogCall(Self.stateLock, log)]
        if isUsed {
            let expected = [serial] + (unknown.map { [$0.serial] } ?? []) + openings
            calls.append(LogCall(Self.unbroken, log, .integers(expected)))
        }
        if let unknown { calls += undo(unknown) }
        openings = openings.suffix(Self.mostOpenings - 1) + [next]
        let place = calls.count
        calls += [LogCall(Self.numbersQuery, log), LogCall(Self.textsQuery, log), LogCall(Self.deathsQuery, log)]
        calls.append(LogCall(Self.opened, log, .integer(next), .flag(hasLost)))
        do throws(StoreError) {
            let answers = try connection.transaction("open the journal", calls)
            guard let row = answers[place].first else {
                throw StoreError(.other, operation: "open the journal", text: "the log is gone")
            }
            var found = JournalNumbers(row, answers[place + 1], answers[place + 2])
            found.hasLost = found.hasLost || hasLost
            var opening = Opening()
            opening.isNew = found.hasLost || numbers.id != found.id && found.isPristine
            opening.mayHaveLost = found.hasLost
            if found.hasLost {
                opening.notes.append("Something of the log was lost, and no snapshot was made since.")
            }
            (numbers, serial, unknown, failure, isUsed) = (found, next, nil, nil, true)
            openings = []
            return opening
        } catch {
            throw failed(error)
        }
    }

    private func undo(_ commit: UnknownCommit) -> [LogCall] {
        let isThere: BinaryValue = .integer(commit.serial)
        var calls = [
            LogCall(Self.undoInputs, log, isThere, .integer(commit.numbers.lastInput)),
            LogCall(Self.undoIDs, log, isThere),
            LogCall(Self.undoApplied, log, isThere, .integer(commit.numbers.lastEvent)),
        ]
        if !commit.deaths.isEmpty {
            calls.append(LogCall(Self.undoDeaths, log, isThere, .integers(commit.deaths)))
            calls.append(LogCall(Self.noDeaths, log))
        }
        return calls
    }

    // MARK: Writing

    func commit(_ commit: Commit) throws(JournalError) -> CommitReceipt {
        if commit.isEmpty { return CommitReceipt() }
        if let failure { throw failure }
        var next = numbers
        try number(commit, in: &next)
        let new = Int64.random(in: 1 ... .max)
        var work = CommitWork(log: log, epoch: epoch)
        work.write(commit, serial: serial, new: new, from: numbers, &next)
        unknown = UnknownCommit(serial: new, numbers: numbers, deaths: commit.deaths)
        do throws(StoreError) {
            let answers = try connection.transaction("commit to the journal", work.calls)
            work.read(answers, &next)
        } catch {
            throw failed(error)
        }
        (numbers, serial, unknown) = (next, new, nil)
        return CommitReceipt()
    }

    /// Checks that the numbers of `commit` follow `numbers`, and moves `numbers` on.
    private func number(_ commit: Commit, in numbers: inout JournalNumbers) throws(JournalError) {
        guard commit.events.isEmpty else {
            throw JournalError(.other, "the events of a shared log are appended and not committed")
        }
        if let base = commit.truncation?.events, base > numbers.eventsBase {
            numbers.eventsBase = base
            numbers.lastEvent = max(numbers.lastEvent, base)
            numbers.hasStaleGroups = true
        }
        if let base = commit.truncation?.inputs, base > numbers.inputsBase {
            numbers.inputsBase = base
            numbers.lastInput = max(numbers.lastInput, base)
            numbers.hasStaleGroups = true
        }
        if let applied = commit.eventsApplied {
            guard applied >= numbers.lastEvent else {
                throw JournalError(.other, "event \(applied) was applied, the journal is at \(numbers.lastEvent)")
            }
            numbers.lastEvent = applied
        }
        guard !commit.inputs.isEmpty else { return }
        guard commit.inputs.first == numbers.lastInput + 1 else {
            throw JournalError(
                .other, "inputs begin at \(commit.inputs.first), the journal ends at \(numbers.lastInput)")
        }
        numbers.lastInput = commit.inputs.last
    }

    /// Rows that are due to the database are never dropped: they are on a server with room of its own.
    func dropOldestRows(_ count: Int) throws(JournalError) -> Int { 0 }

    // MARK: Snapshots

    func loadSnapshots(now: Timestamp) throws(JournalError) -> LoadedSnapshots {
        try snapshots.load(over: connection, now: now)
    }

    func moveAsideSnapshot(_ number: Int64, now: Timestamp) throws(JournalError) {
        _ = try snapshots.moveAside(number, "damaged", over: connection)
    }

    /// Notes that the journal cannot be used until it was opened again.
    private func failed(_ error: StoreError) -> JournalError {
        let failed =
            error.code == JournalError.fenceCode
            ? JournalError(.replaced, "epoch \(epoch) is over: another replica leads the log") : JournalError(error)
        failure = failed
        return failed
    }
}

extension JournalNumbers {
    /// Takes the numbers from the answers to the three queries of an opening.
    init(_ row: [BinaryValue], _ texts: [[BinaryValue]], _ deaths: [[BinaryValue]]) {
        self.init()
        func number(_ place: Int) -> Int64 { row[place].asInteger ?? 0 }
        id = row[0].asText ?? ""
        eventsBase = number(1)
        inputsBase = number(2)
        lastEvent = max(number(3), eventsBase)
        lastInput = max(number(4), inputsBase)
        rowsApplied = number(5)
        inputApplied = number(6)
        lastReading = row[7].asInteger.map { Timestamp(milliseconds: $0) }
        unjournaledAfter = row[8].asInteger
        hasLost = row[9].asFlag ?? false
        deadLettersDropped = number(10)
        deadLetterCount = Int(number(11))
        eventsFinished = number(12)
        for text in texts {
            let value = String(decoding: text[1].asBytes ?? [], as: UTF8.self)
            switch text[0].asText {
            case CommitWork.lineage: lineage = value
            case CommitWork.pushedLabels: pushedLabels = value
            default: break
            }
        }
        for death in deaths { self.deaths[death[0].asInteger ?? 0] = Int(death[1].asInteger ?? 0) }
    }
}
