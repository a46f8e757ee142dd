package import Wire

/// A series that the receiver of a destination holds, as the journal keeps it. `proto/journal.proto` describes its bytes.
///
/// A series of the default destination has the bytes of its key alone, as programs that know of one destination write
/// and read them. The bytes of any other name no family there. So these programs pass over them: they neither end nor
/// restore what they never sent.
package struct ShippedSeries: Sendable, Hashable {
    /// The destination that is made by the settings without a name.
    package static let defaultDestination = "default"

    /// The numbers of the fields.
    private enum Field {
        static let destination = 3
        static let key = 4
    }

    package let destination: String
    package let key: SeriesKey

    package init(destination: String, key: SeriesKey) {
        self.destination = destination
        self.key = key
    }

    // MARK: Bytes

    /// The encoded series: the same for equal ones, and others for any other.
    package var bytes: [UInt8] {
        if destination == Self.defaultDestination { return key.bytes }
        var writer = MessageWriter()
        writer.field(Field.destination, destination)
        writer.message(Field.key) { key.encode(into: &$0) }
        return writer.bytes
    }

    /// Reads the output of `bytes`.
    package init(bytes: [UInt8]) throws(MessageFault) {
        var reader = MessageReader(bytes)
        var destination: String?
        var key: SeriesKey?
        while let field = try reader.next() {
            switch field {
            case Field.destination: destination = try reader.string()
            case Field.key:
                var message = try reader.message()
                key = try SeriesKey(from: &message)
            default: try reader.skip()
            }
        }
        guard let destination else {
            self.init(destination: Self.defaultDestination, key: try SeriesKey(bytes: bytes))
            return
        }
        // Its bytes would be others than those of the same series of this destination.
        guard destination != Self.defaultDestination, let key else {
            throw MessageFault("a series has no key, or names the default destination")
        }
        self.init(destination: destination, key: key)
    }
}
