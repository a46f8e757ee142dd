/// The bounds of a server that are not settings, each with its reason.
package enum Limits {
    /// Connections that the kernel completes before they are accepted. The kernel cuts the number to
    /// `net.core.somaxconn`.
    package static let backlog: Int32 = 4_096
    /// The memory of a connection for request line, headers and reading. A webhook's headers take 1 KiB, and 4,000
    /// connections must not take more than 32 MiB. The library answers a longer header with 431.
    package static let header_bytes = 8_192
    /// The time for a header, from its first byte or from the start of the connection.
    package static let header: Duration = .seconds(5)
    /// The time for a request, from its first byte: 4 MiB at 2 Mbit/s.
    package static let request: Duration = .seconds(20)
    /// The time after which a connection without a request is closed. LiveKit's client closes its own after 90 s.
    package static let idle: Duration = .seconds(120)
    /// The time for a client to take its response. The longest response is the metrics page, read over loopback.
    package static let answer: Duration = .seconds(30)
    /// The memory of the bodies that are being read, over all connections: 16 of the largest allowed body. Strangers
    /// can send bodies, so this bounds what they can make the process hold. Beyond it the largest unfinished bodies are
    /// given up.
    package static let bodies_bytes = 64 << 20
    /// The memory of bodies after some were given up: one look at all connections then suffices for the next 8 MiB.
    package static let bodiesAfterDrop_bytes = 56 << 20
    /// The largest body buffer that a connection keeps for its next request. A webhook takes 1 to 3 KiB, and 4,000
    /// connections must not keep more than 16 MiB.
    package static let keptBuffer_bytes = 4_096
    /// Connections above the maximum while evicted ones are being closed. In a flood as many come while the poll thread
    /// goes once through thousands of connections.
    package static func spareConnections(for maximum: Int) -> Int { max(8, min(256, maximum / 4)) }
    /// The age from which an incomplete request, or a response that is not taken, is the first to be evicted. A webhook
    /// of LiveKit is complete within a round trip of its connection.
    package static let stuck: Duration = .milliseconds(100)
    /// The pause between two rankings of all connections, for each connection. A ranking takes less than 1 us for each;
    /// with five times that between them, refusing new connections while all others are owed a response does not take a
    /// core.
    package static let evictionOrderRest: Duration = .microseconds(5)
    /// The pause of the acceptor while the process has no descriptors left. It ends earlier when a connection is
    /// closed.
    package static let descriptorPause: Duration = .milliseconds(100)
    /// Descriptors for everything but the connections of this listener: the other listener, database, spool, remote
    /// write, refused uploads, log. They are kept free, together with those for connections above the maximum.
    package static let otherDescriptors = 512
    /// The most refused uploads whose rest is read for a moment, so that the client sees the response and not a reset.
    package static let lingering = 64
    /// The time for which, and the amount per look, the rest of a refused upload is read.
    package static let linger: Duration = .seconds(1)
    package static let lingerRead_bytes = 262_144
    /// The interval between looks at the open connections. It is the error of all time limits above.
    package static let look: Duration = .seconds(1)
    /// The shortest time between two looks: thousands of deadlines in a row must not cause thousands of looks at
    /// thousands of connections. A response may be late by this.
    package static let lookPause: Duration = .milliseconds(10)
    /// The time that `stop` waits for the poll thread to send the last responses, which takes microseconds.
    package static let stop: Duration = .seconds(2)
}
