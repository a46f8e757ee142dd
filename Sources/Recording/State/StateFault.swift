/// Why saved state cannot be used.
package struct StateFault: Error, Sendable, Equatable, CustomStringConvertible {
    package let description: String
}
