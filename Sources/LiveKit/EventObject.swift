internal import Wire

/// An object that events carry beside their room: how it is read from a webhook, and how it is stored.
protocol EventObject: Sendable {
    /// The name of its field in a webhook, in camelCase.
    static var webhookField: String { get }
    /// The number of its field in the message `Event` of `proto/journal.proto`.
    static var storedField: Int { get }

    /// Reads the JSON object at `offset`; without one all values are empty. What the object says of the room completes
    /// `room`.
    ///
    /// - Parameter metadataKey: the key in a room's metadata that names its organization; nil if nobody asks for it.
    init(
        _ bytes: Span<UInt8>, at offset: Int?, completing room: inout Room, metadataKey: String?
    ) throws(DecodingFault)

    /// Reads the stored form.
    init(from message: consuming MessageReader) throws(MessageFault)

    /// Appends the fields of the stored form.
    func encode(into writer: inout MessageWriter)
}

extension EventObject {
    /// Appends the object to the stored form of its event.
    func encodeField(into writer: inout MessageWriter) {
        writer.message(Self.storedField) { encode(into: &$0) }
    }
}

/// The source of the objects of one event: a webhook, or the stored form.
protocol EventObjectSource {
    associatedtype Fault: Error
    mutating func read<Object: EventObject>(_ bytes: Span<UInt8>) throws(Fault) -> Object
}

/// One value for each type of object.
struct EventObjectTable<Value> {
    /// The numbers of their stored fields.
    private static var fields: Range<Int> { 9..<17 }

    private var values: [8 of Value?] = .init(repeating: nil)

    subscript<Object: EventObject>(_: Object.Type) -> Value? { self[field: Object.storedField] }

    /// By the number of the stored field.
    subscript(field field: Int) -> Value? {
        get { values[Self.place(of: field)] }
        set { values[Self.place(of: field)] = newValue }
    }

    private static func place(of field: Int) -> Int {
        precondition(fields.contains(field), "the fields of objects are numbered from 9 to 16")
        return field - fields.lowerBound
    }
}
