package import Platform

/// The reasons for which a server cannot listen.
package enum ServingError: Error, Sendable, Equatable, CustomStringConvertible {
    /// The text is not `host:port`; the second value describes the mistake.
    case badAddress(String, String)
    /// Another program listens on the address.
    case addressInUse(String)
    /// The system does not allow this user to listen there. Ports below 1024 need a privilege.
    case notPermitted(String)
    /// The machine does not have the address.
    case noSuchAddress(String)
    /// Any other failure of the system.
    case system(SystemError)
    /// The HTTP library refused to start.
    case library(String)

    package var description: String {
        switch self {
        case .badAddress(let address, let reason):
            "cannot listen on \"\(address)\": \(reason); expected host:port, such as 0.0.0.0:3001 or [::]:3001"
        case .addressInUse(let address): "cannot listen on \(address): another program already does"
        case .notPermitted(let address):
            "cannot listen on \(address): not permitted; a port below 1024 needs CAP_NET_BIND_SERVICE"
        case .noSuchAddress(let address): "cannot listen on \(address): this machine has no such address"
        case .system(let error): "cannot listen: \(error)"
        case .library(let address): "cannot listen on \(address): the HTTP library gave no reason"
        }
    }
}
