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
    /// bodies, so this is what they can make us hold. Beyond it the largest unfinished bodies are given up.
    package static let bodies_bytes = 64 << 20
    /// What is held after that: one look at all connections then serves for the next 8 MiB.
    package static let bodiesAfterDrop_bytes = 56 << 20
    /// A connection keeps a body buffer of up to this size for its next request: a webhook takes 1 to 3 KiB, and 4,000
    /// connections must not keep more than 16 MiB.
    package static let keptBuffer_bytes = 4_096
    /// Connections above the maximum while older ones are being closed in their favour: as many as come, in a flood,
    /// while the poll thread goes once through thousands of connections.
    package static func spareConnections(for maximum: Int) -> Int { max(8, min(256, maximum / 4)) }
    /// From this age on an incomplete request, or an answer that is not taken, is the first to make room for a newcomer:
    /// a webhook of LiveKit is complete within a round trip of its connection.
    package static let stuck: Duration = .milliseconds(100)
    /// A ranking takes less than 1 us for each connection; it is not repeated in five times that, so that refusing
    /// newcomers, when all connections are owed an answer, does not take a core.
    package static let evictionOrderRest: Duration = .microseconds(5)
    /// How long the acceptor rests, or until a connection has closed, when the process has no descriptors left.
    package static let descriptorPause: Duration = .milliseconds(100)
    /// Descriptors that are not connections of this listener: those of the other, database, spool, remote write,
    /// lingering ones, log. With connections above the maximum they are kept free.
    package static let otherDescriptors = 512
    /// Refused uploads whose rest is read for a moment, so that the client sees the answer and not a reset.
    package static let lingering = 64
    /// How long, and how much per look, the rest of a refused upload is read.
    package static let linger: Duration = .seconds(1)
    package static let lingerRead_bytes = 262_144
    /// How often open connections are looked at: the error of all limits above.
    package static let look: Duration = .seconds(1)
    /// The shortest time between two looks: thousands of deadlines one after the other must not make thousands of looks
    /// at thousands of connections. An answer may be late by this.
    package static let lookPause: Duration = .milliseconds(10)
    /// How long `stop` waits for the poll thread to take the last answers, which needs microseconds.
    package static let stop: Duration = .seconds(2)
}
