import Wire

/// The body of a snapshot: the recorder's state, and what the journal thread keeps beside it.
enum SnapshotBody {
    /// The format that this program writes. One more field needs no new format.
    static let format = 1

    private static let stateField = 1
    private static let rowOriginField = 2
    private static let isJournaledField = 3
    private static let ordinalBaseField = 4
    private static let lineageField = 5

    /// The result of `read`.
    struct Content {
        let state: MessageReader
        /// The current name of the rows, for programs that know no lineage.
        let rowOrigin: String
        /// All events and inputs up to the snapshot were in the journal.
        let isJournaled: Bool
        /// The number that is added to the event number and the input number, for the ordinals of row positions.
        let ordinalBase: Int64
        /// The starts of the program and the names of its rows; empty where an older program wrote the snapshot.
        let lineage: String
    }

    /// Begins a body with the recorder's state.
    static func append(state body: (inout MessageWriter) -> Void, to writer: inout MessageWriter) {
        writer.message(stateField, body)
    }

    /// Completes a body that begins with the state.
    static func complete(
        _ state: consuming [UInt8], rowOrigin: String, isJournaled: Bool, ordinalBase: Int64, lineage: String
    ) -> [UInt8] {
        var writer = MessageWriter(appendingTo: state)
        writer.field(rowOriginField, rowOrigin)
        writer.field(isJournaledField, isJournaled)
        writer.field(ordinalBaseField, ordinalBase)
        writer.field(lineageField, lineage)
        return writer.bytes
    }

    static func read(_ bytes: [UInt8]) throws(MessageFault) -> Content {
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
        return Content(
            state: state, rowOrigin: rowOrigin, isJournaled: isJournaled, ordinalBase: ordinalBase, lineage: lineage)
    }
}
