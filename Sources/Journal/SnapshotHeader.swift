package import Wire

/// The point in the journal that a snapshot stands for.
package struct SnapshotHeader: Sendable, Equatable {
    /// The id of the journal whose events and inputs were applied.
    package var journalID: String
    /// Snapshots are numbered from 1. The number is in the name of the file, too.
    package var number: Int64
    /// The numbers of the last event and of the last input that were applied.
    package var eventsApplied: Int64
    package var inputsApplied: Int64
    /// The running number of the last row that was emitted.
    package var rowsEmitted: Int64
    package var takenAt: Timestamp
    /// Nothing that followed can be missing: the journal has it, or the snapshot was made at the end of an orderly
    /// stop.
    package var isCleanStop: Bool

    package init(
        journalID: String, number: Int64, eventsApplied: Int64, inputsApplied: Int64, rowsEmitted: Int64,
        takenAt: Timestamp, isCleanStop: Bool
    ) {
        self.journalID = journalID
        self.number = number
        self.eventsApplied = eventsApplied
        self.inputsApplied = inputsApplied
        self.rowsEmitted = rowsEmitted
        self.takenAt = takenAt
        self.isCleanStop = isCleanStop
    }

    package func encode() -> [UInt8] {
        var writer = MessageWriter()
        writer.field(1, journalID)
        writer.field(2, number)
        writer.field(3, eventsApplied)
        writer.field(4, inputsApplied)
        writer.field(5, rowsEmitted)
        writer.field(6, takenAt.milliseconds)
        writer.field(7, isCleanStop)
        return writer.bytes
    }

    package init(decoding reader: MessageReader) throws(MessageFault) {
        self.init(
            journalID: "", number: 0, eventsApplied: 0, inputsApplied: 0, rowsEmitted: 0,
            takenAt: Timestamp(milliseconds: 0), isCleanStop: false)
        var reader = reader
        while let field = try reader.next() {
            switch field {
            case 1: journalID = try reader.string()
            case 2: number = try reader.int64()
            case 3: eventsApplied = try reader.int64()
            case 4: inputsApplied = try reader.int64()
            case 5: rowsEmitted = try reader.int64()
            case 6: takenAt = Timestamp(milliseconds: try reader.int64())
            case 7: isCleanStop = try reader.bool()
            default: try reader.skip()
            }
        }
    }
}

/// A snapshot that was read whole and has the right checksum.
package struct Snapshot: Sendable, Equatable {
    package var header: SnapshotHeader
    /// The recorder's state and what is kept beside it, as bytes that the journal does not interpret.
    package var body: [UInt8]

    package init(header: SnapshotHeader, body: [UInt8]) {
        self.header = header
        self.body = body
    }
}
