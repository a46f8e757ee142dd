/// An error of the journal or of a file beside it. A refused operation leaves nothing half done.
package struct JournalError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The kind of an error, as far as a caller acts on it. All kinds but `damaged`, `replaced` and `conflict` may
    /// pass by themselves.
    package enum Kind: Sendable, Equatable, CaseIterable {
        /// The device has no room.
        case full
        /// The folder, the file or the file system may not be written.
        case readOnly
        /// The file or its folder was removed or replaced, so that writes would go nowhere.
        case gone
        /// The file holds something that the journal never wrote.
        case damaged
        /// Another replica leads the log. No commit of this one will ever succeed.
        case replaced
        /// The log has another group under the same producer and number.
        case conflict
        /// Any other error, such as one of a failing device.
        case other
    }

    package let kind: Kind
    /// Operation, subject, code and the text of the library. It never holds a value of a row.
    package let description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
