/// The settings of a replica that competes for the lease of a log.
package struct LeaseSettings: Sendable {
    /// `LEASE_TTL`.
    package let ttl: Duration
    /// The host name of this replica.
    package let holder: String
    /// The configuration of this replica, as `LogConfiguration.line` makes it.
    package let configuration: String
    /// The numbers of the log that this machine saw; nil where nothing is kept on it.
    package let marks: LogMarks?
    /// The event that this process, or the one before, has in hand; nil where nothing is kept.
    package let hand: EventInHand?

    package init(
        ttl: Duration, holder: String, configuration: String = "", marks: LogMarks? = nil, hand: EventInHand? = nil
    ) {
        self.ttl = ttl
        self.holder = holder
        self.configuration = configuration
        self.marks = marks
        self.hand = hand
    }
}
