/// Why an expression is none.
package struct PatternFault: Error, Equatable, CustomStringConvertible {
    /// The library's text.
    package let message: String
    /// How many bytes of the expression were read until then.
    package let offset: Int

    package init(message: String, offset: Int) {
        self.message = message
        self.offset = offset
    }

    package var description: String { "\(message) at offset \(offset)" }
}
