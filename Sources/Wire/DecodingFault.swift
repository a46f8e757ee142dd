/// An error of a decoder: bytes from outside are not what the format demands. It says why, and at which byte.
///
/// It never quotes the bytes, because webhook bodies hold secrets.
package struct DecodingFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// The kinds of fault. The raw value goes into the log.
    package enum Reason: String, Sendable, CaseIterable {
        /// The bytes end inside a value.
        case unexpected_end
        /// A byte stands where the grammar does not allow it.
        case unexpected_byte
        /// Further bytes follow the value.
        case trailing_bytes
        /// More than `JSONReader.Limits.nesting_max` containers are open.
        case nested_too_deeply
        /// A text that is returned is not valid UTF-8, or it escapes half of a surrogate pair.
        case invalid_text
        /// The value is well-formed, but not of the type that was asked for.
        case wrong_type
        /// The number is not an integer, or 64 bits cannot hold it.
        case not_an_integer
    }

    /// The kind of fault.
    package let reason: Reason
    /// The number of bytes before the fault.
    package let offset: Int

    /// Makes a fault of the kind `reason`, found at byte `offset`.
    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// The text for the log: a reason and a number.
    package var description: String { "\(reason.rawValue) at byte \(offset)" }
}
