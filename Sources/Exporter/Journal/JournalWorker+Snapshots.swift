import Journal
import Platform
import Recording
import Wire

extension JournalWorker {
    /// Hands a snapshot to the thread that writes it. Everything that it needs beside it is on disk.
    func save(_ snapshot: RecorderSnapshot, _ header: SnapshotHeader) {
        files?.saver.save(header, snapshot.state)
    }

    /// A snapshot was written, or not.
    func take(_ result: SnapshotResult) {
        shared.change { $0.isSaving = false }
        metrics.noteSnapshot(isSaved: result.error == nil)
        if let error = result.error {
            log.throttled(.error, "the state cannot be saved", ["error": .string(error)])
            if lacksState {
                // Another one is asked for when the disk has had a pause.
                let pause = JournalSettings.Limits.maxBackoff
                health = .failing(again: time.monotonic() + pause, backoff: pause)
            }
            return
        }
        metrics.noteSnapshot(of: result.header.takenAt, size_bytes: result.size_bytes)
        shared.change { $0.needsSnapshot = false }
        if lacksState {
            log.info("the state is saved to a new journal")
            lacksState = false
            if case .good = health { beGood() }
        }
        guard var files else { return }
        // Counters began at zero in this process; the next one can go on with them.
        if files.journal.opening.mayHaveLost { commit.coversLoss = true }
        let older = files.note(result.header)
        self.files = files
        if let older {
            var truncation = Truncation(events: older.eventsApplied, inputs: older.inputsApplied)
            truncation.expiredIDs = Recorder.idKinds.map { kind in
                Truncation.Expiry(kind: kind, latest: older.takenAt - restoration.idLifetime(kind))
            }
            self.truncation = truncation
        }
        // A figure for people; what is wrong shows at the next commit.
        if let size = try? files.journal.size_bytes() { metrics.note(size_bytes: size) }
        log.debug(
            "the state is saved",
            ["bytes": .int(result.size_bytes), "took_ms": .milliseconds(result.took)])
    }
}

/// The body of a snapshot: the recorder's state, and what the journal keeps beside it.
enum SavedState {
    /// The format of what this program writes; a field more needs no new one.
    static let format = 1

    private static let stateField = 1
    private static let rowOriginField = 2
    private static let isJournaledField = 3
    private static let ordinalBaseField = 4
    private static let lineageField = 5

    /// What `read` finds.
    struct Reading {
        let state: MessageReader
        /// The journal that numbers the rows.
        let rowOrigin: String
        /// All events and inputs up to the snapshot were in the journal.
        let isJournaled: Bool
        /// The number of an input in the row positions is this plus its event and input numbers.
        let ordinalBase: Int64
        /// The starts of the program and the names of its rows; empty where a program wrote it that has neither.
        let lineage: String
    }

    static func append(state body: (inout MessageWriter) -> Void, to writer: inout MessageWriter) {
        writer.message(stateField, body)
    }

    static func append(
        rowOrigin: String, isJournaled: Bool, ordinalBase: Int64, lineage: String, to writer: inout MessageWriter
    ) {
        writer.field(rowOriginField, rowOrigin)
        writer.field(isJournaledField, isJournaled)
        writer.field(ordinalBaseField, ordinalBase)
        writer.field(lineageField, lineage)
    }

    static func read(_ bytes: [UInt8]) throws(MessageFault) -> Reading {
        var reader = MessageReader(bytes)
        var state: MessageReader?
        var rowOrigin = ""
        var isJournaled = false
        var ordinalBase: Int64 = 0
        var lineage = ""
        while let field = try reader.next() {
            switch field {
            case stateField: state = try reader.message()
            case rowOriginField: rowOrigin = try reader.string()
            case isJournaledField: isJournaled = try reader.bool()
            case ordinalBaseField: ordinalBase = try reader.int64()
            case lineageField: lineage = try reader.string()
            default: try reader.skip()
            }
        }
        guard let state else { throw MessageFault("a snapshot without a state") }
        return Reading(
            state: state, rowOrigin: rowOrigin, isJournaled: isJournaled, ordinalBase: ordinalBase, lineage: lineage)
    }
}
