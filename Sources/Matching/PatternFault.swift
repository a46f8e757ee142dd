/// An error in a regular expression.
package struct PatternFault: Error, Equatable, CustomStringConvertible {
    /// The message of the library.
    package let message: String
    /// The number of bytes of the expression before the error.
    package let offset: Int

    package init(message: String, offset: Int) {
        self.message = message
        self.offset = offset
    }

    package var description: String { "\(message) at offset \(offset)" }
}
