import Journal
import Platform
import Recording
import Storage
import Wire

/// What others leave for the journal thread.
struct JournalMail: Sendable {
    /// From the intake.
    var arrivals = Arrivals()
    /// How many events end the wait of the journal thread; `Int.max` while it does not wait for any.
    var awaited = Int.max
    /// From the recorder, in order.
    var turns: [RecorderTurn] = []
    /// From the shipper: it waits for each of them.
    var readings: [ShipperReading] = []
    /// From the store: rows up to here are in the database.
    var appliedUpTo: Int64 = 0
    /// From the store: the last input that has rows in the database.
    var appliedInput: Int64 = 0
    /// From the store: another copy of the state writes rows, and what comes after this input is not in that one.
    var copiedAfter: Int64?
    /// From the store: rows that the database refused.
    var refused: [RefusedRow] = []
    /// From the store: it has few rows left.
    var wantsRows = false
    /// For the store: rows that are on disk and not in memory.
    var rowsOnDisk = 0
    /// For the store: turns of the recorder were taken, and their rows are neither in memory nor on disk yet.
    var isHoldingRows = false
    /// From the thread that writes snapshots.
    var saved: [SnapshotResult] = []

    /// The journal cannot be written: events are refused.
    var isFailing = false
    /// No event follows: those that are there are committed, then the intake is told.
    var isClosing = false
    /// Stop was asked for.
    var stopBy: MonotonicTime?
    /// The thread is done.
    var isFinished = false

    /// Something has to be done now.
    var isUrgent: Bool {
        !arrivals.isEmpty || !turns.isEmpty || !readings.isEmpty || !refused.isEmpty || wantsRows || !saved.isEmpty
            || isClosing || copiedAfter != nil
    }

    /// Puts an input behind everything that the recorder left before.
    mutating func note(_ input: AppliedInput) {
        if turns.last?.snapshot != nil || turns.isEmpty { turns.append(RecorderTurn()) }
        turns[turns.count - 1].inputs.append(input)
    }

    /// Everything was taken; what says how things are stays.
    mutating func clear() {
        if !turns.isEmpty { isHoldingRows = true }
        turns.removeAll(keepingCapacity: true)
        readings.removeAll(keepingCapacity: true)
        refused.removeAll(keepingCapacity: true)
        saved.removeAll(keepingCapacity: true)
        wantsRows = false
        copiedAfter = nil
        isClosing = false
    }
}

/// What one turn of the recorder leaves behind.
struct RecorderTurn: Sendable {
    /// Inputs other than events that it applied before the snapshot: they must be durable before anything leaves that
    /// they caused.
    var inputs: [AppliedInput] = []
    /// What is for the database, in order.
    var rows: [PlacedRow] = []
    /// The state after all of it.
    var snapshot: RecorderSnapshot?

    var isEmpty: Bool { inputs.isEmpty && rows.isEmpty && snapshot == nil }
}

/// An input that the recorder applied, and after which event.
struct AppliedInput: Sendable {
    let input: Input
    let after: Int64
}

/// The recorder's state at one point of the journal.
struct RecorderSnapshot: Sendable {
    var state: [UInt8]
    var ids: [Recording.IDSegment]
    /// Numbers of the last event and input that it knows of, and of the last row that it made.
    var events: Int64
    var inputs: Int64
    var rows: Int64
    /// No other follows in this process.
    var isLast: Bool
}

/// A reading of the shipper that may leave when everything before it is durable.
struct ShipperReading: Sendable {
    let at: Timestamp
    let labels: String
    let began: [[UInt8]]
    let ended: [[UInt8]]
    let isDone: Monitor<Bool>
}

/// A row that the database refused for its data.
struct RefusedRow: Sendable {
    let number: Int64
    let row: StoreRow
    /// Why, without the row's values.
    let error: StoreError
}

/// How the writing of a snapshot ended.
struct SnapshotResult: Sendable {
    let header: SnapshotHeader
    let error: String?
    let size_bytes: Int
    let took: Duration
}
