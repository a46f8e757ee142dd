/// An error in a saved state, which makes it unusable.
package struct StateFault: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
}
