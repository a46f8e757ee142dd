import Journal
import Platform
import Recording
import Storage
import Wire

/// The inputs, rows, usage and snapshot that one turn of the recorder leaves for the journal.
package struct RecorderTurn: Sendable {
    /// Inputs other than events that were applied before the snapshot. They are committed before anything leaves that
    /// they caused.
    var inputs: [InputEntry] = []
    /// Rows for the database, in order.
    package var rows: [NumberedRow] = []
    /// The totals of usage after the inputs and events. Nobody sees them before these are durable.
    var usage = UsageReading()
    /// A reading of the registry is near. So the usage is to be published now, and not with the next commit.
    var isUsageWanted = false
    /// The state after the inputs and rows.
    var snapshot: RecorderSnapshot?

    package init() {}

    package var isEmpty: Bool {
        inputs.isEmpty && rows.isEmpty && usage.isEmpty && !isUsageWanted && snapshot == nil
    }
}

/// An input that the recorder applied, with the number of the event that it followed.
struct InputEntry: Sendable {
    let input: Input
    let after: Int64
    /// The event that is not applied, now and in every replay; nil in all other entries. Such an entry is no input of
    /// the recorder. It is decided at a start, before the event unless that had been applied.
    let setAside: Int64?

    init(input: Input, after: Int64) {
        self.input = input
        self.after = after
        setAside = nil
    }

    /// Makes the entry that sets an event aside.
    ///
    /// - Parameters:
    ///   - receivedAt: the time of the event. Programs that know of no such entry take the entry for passed time.
    ///   - after: as of the other entries; below `event` where no process has applied it.
    init(settingAside event: Int64, receivedAt: Timestamp, after: Int64) {
        input = .time(at: receivedAt)
        self.after = after
        setAside = event
    }

    /// Encodes the entry of the journal's table `inputs`.
    func encode(into writer: inout MessageWriter) {
        writer.field(1, after)
        writer.message(2) { input.encode(into: &$0) }
        if let setAside { writer.field(3, setAside) }
    }

    /// Decodes an entry of the journal's table `inputs`.
    init(from reader: inout MessageReader) throws(MessageFault) {
        var after: Int64 = 0
        var input: Input?
        var setAside: Int64?
        while let field = try reader.next() {
            switch field {
            case 1: after = try reader.int64()
            case 2:
                var message = try reader.message()
                input = try Input(from: &message)
            case 3: setAside = try reader.int64()
            default: try reader.skip()
            }
        }
        guard let input else { throw MessageFault("an entry without an input") }
        self.input = input
        self.after = after
        self.setAside = setAside
    }
}

/// The recorder's state at one point of the journal.
struct RecorderSnapshot: Sendable {
    /// The state, as a `SnapshotBody` begins with it.
    var state: [UInt8]
    var ids: [IDSegment]
    /// The numbers of the last event, input and row that the state knows of.
    var events: Int64
    var inputs: Int64
    var rows: Int64
    /// No other snapshot follows in this process.
    var isLast: Bool
    /// The time that the recorder took to make it.
    var took: Duration

    /// Encodes the state of a recorder.
    ///
    /// - Parameter expected_bytes: the size of the last snapshot, for the buffer.
    init(
        of recorder: inout Recorder, events: Int64, inputs: Int64, rows: Int64, withAllIDs: Bool, isLast: Bool,
        expected_bytes: Int, _ time: any TimeSource
    ) {
        let begin = time.monotonic()
        var writer = MessageWriter()
        writer.reserve(expected_bytes + expected_bytes / 8)
        SnapshotBody.append(state: { recorder.encodeState(into: &$0) }, to: &writer)
        ids = recorder.takeIDs(all: withAllIDs)
        state = writer.bytes
        (self.events, self.inputs, self.rows, self.isLast) = (events, inputs, rows, isLast)
        took = time.monotonic().since(begin)
    }
}

/// The outcome of writing a snapshot.
struct SnapshotResult: Sendable {
    let header: SnapshotHeader
    let error: String?
    let size_bytes: Int
    let took: Duration
}
