/// The reason why the exporter could not start.
package enum StartError: Error, Sendable, Equatable, CustomStringConvertible {
    /// Something that it needs is not available. The text says what.
    case unavailable(String)
    /// A stop was asked for before the start was done.
    case stopped

    package var description: String {
        switch self {
        case .unavailable(let reason): reason
        case .stopped: "a stop came before the start was done"
        }
    }
}
