/// The bounds of a server that are not settings, each with its reason.
package enum Limits {
    /// Connections the kernel completes before they are accepted; it cuts this to `net.core.somaxconn`.
    package static let backlog: Int32 = 4_096
    /// Memory of a connection for request line, headers and reading: a webhook's headers take 1 KiB, and 4,000
    /// connections must not take more than 32 MiB. A longer header is answered 431 by the library.
    package static let header_bytes = 8_192
    /// A header must be complete this long after its first byte, or after the connection was made.
    package static let header: Duration = .seconds(5)
    /// A request must be complete this long after its first byte: 4 MiB at 2 Mbit/s.
    package static let request: Duration = .seconds(20)
    /// A connection without a request is closed; LiveKit's client closes its own after 90 s.
    package static let idle: Duration = .seconds(120)
    /// An answer must be taken by the client: the longest is the metrics page, read over loopback.
    package static let answer: Duration = .seconds(30)
    /// Memory of bodies that are being read, of all connections: 16 of the largest allowed at once. Strangers can send
    /// bodies, so this is what they can make us hold.
    package static let bodies_bytes = 64 << 20
    /// A connection keeps a body buffer of up to this size for its next request.
    package static let keptBuffer_bytes = 16_384
    /// Connections above the maximum while older ones are being closed in their favour.
    package static let spareConnections = 32
    /// Descriptors that are not connections: listeners, database, spool, remote write, lingering ones, log.
    package static let otherDescriptors = 256
    /// Refused uploads whose rest is read for a moment, so that the client sees the answer and not a reset.
    package static let lingering = 64
    /// How long, and how much per look, the rest of a refused upload is read.
    package static let linger: Duration = .seconds(1)
    package static let lingerRead_bytes = 262_144
    /// How often open connections are looked at: the error of all limits above.
    package static let look: Duration = .seconds(1)
    /// How long `stop` waits for the poll thread to take the last answers, which needs microseconds.
    package static let stop: Duration = .seconds(2)
}
