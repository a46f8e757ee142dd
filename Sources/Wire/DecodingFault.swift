/// Why bytes from outside could not be read, and where.
///
/// It never quotes what it read: bodies hold secrets.
package struct DecodingFault: Error, Sendable, Hashable, CustomStringConvertible {
    /// What is wrong with the bytes; the raw value is a log value.
    package enum Reason: String, Sendable, CaseIterable {
        /// The bytes end inside a value.
        case unexpected_end
        /// A byte stands where the grammar does not allow it.
        case unexpected_byte
        /// Something follows the value.
        case trailing_bytes
        /// More than `JSONReader.Limits.nesting_max` containers are open.
        case nested_too_deeply
        /// Text that is kept is not valid UTF-8, or escapes half of a surrogate pair.
        case invalid_text
        /// A well-formed value of another type than the one asked for.
        case wrong_type
        /// A number that is no integer, or none that 64 bits can hold.
        case not_an_integer
    }

    /// What is wrong.
    package let reason: Reason
    /// Bytes before the fault.
    package let offset: Int

    /// A fault for `reason`, found at `offset`.
    package init(_ reason: Reason, at offset: Int) {
        self.reason = reason
        self.offset = offset
    }

    /// Fit for a log: a reason and a number.
    package var description: String { "\(reason.rawValue) at byte \(offset)" }
}
