/// Why the journal or a file beside it could not be read or written. Nothing that was refused is half there.
package struct JournalError: Error, Sendable, Equatable, CustomStringConvertible {
    /// What kind of trouble it is, as far as a caller acts on it. All but `damaged` may pass by themselves.
    package enum Kind: Sendable, Equatable, CaseIterable {
        /// No room on the device.
        case full
        /// The folder, the file or the file system may not be written.
        case readOnly
        /// The file or its folder was removed or replaced: what is written would go nowhere.
        case gone
        /// The file holds what the journal never wrote.
        case damaged
        /// Anything else, such as a device that fails.
        case other
    }

    package let kind: Kind
    /// Operation, subject, code and the library's own words; never a value of a row.
    package let description: String

    package init(_ kind: Kind, _ description: String) {
        self.kind = kind
        self.description = description
    }
}
