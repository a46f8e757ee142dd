import Glibc

/// An address that is taken to find out whether a server could listen on it. It is given back when the object goes.
///
/// Nobody can connect in the meantime: a client is refused, as if nothing were there.
package final class AddressTrial: Sendable {
    private let socket: ListeningSocket

    /// Throws the reason for which a server could not listen there.
    package init(_ address: ListenAddress) throws(ServingError) {
        socket = try ListeningSocket(address, accepts: false)
    }

    deinit { close(socket.file) }
}
