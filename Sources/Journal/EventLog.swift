package import Wire

/// A group of events that a replica appends to a log. Producer and number make a repeated group harmless.
package struct ProducedGroup: Sendable, Equatable {
    /// 128 random bits in hexadecimal, made at each start of a replica.
    package var producer: String
    /// The groups of a producer are numbered from 1. A group that has a number never changes.
    package var number: Int64
    /// The number of events.
    package var count: Int
    /// The events, as `Group.bytes` has them.
    package var bytes: [UInt8]

    package init(producer: String, number: Int64, count: Int, bytes: [UInt8]) {
        self.producer = producer
        self.number = number
        self.count = count
        self.bytes = bytes
    }
}

/// The end of a log to which every replica appends. It belongs to the thread that uses it, and connects by itself.
package protocol EventLog: AnyObject {
    /// Appends the groups in their order, all of them or none. The events get the next numbers of the log, without a
    /// gap. A group that the log has already changes nothing.
    ///
    /// When it returns, the groups are durable. After an error of the kind `conflict` nothing was appended: the log has
    /// another group under the same producer and number. After any other error nobody knows: append the same groups
    /// again.
    ///
    /// - Returns: the number of the last event in the log.
    func append(_ groups: [ProducedGroup]) throws(JournalError) -> Int64

    /// Closes the connection. The next call connects again.
    func close()
}

/// The lease of a log, as it was read at one time.
package struct LeaseRecord: Sendable, Equatable {
    /// The id of the log. It changes where the log was found to have lost its end.
    package var id = ""
    /// Rises with each taking; 0 before the first one.
    package var epoch: Int64 = 0
    /// The host name of the replica that took it last; empty before the first.
    package var holder = ""
    /// Rises with each renewal.
    package var renewal: Int64 = 0
    /// The lease has run out by the clock of the database, or was released.
    package var hasExpired = true
    /// The holder ended its work in order, so nothing of it is on its way.
    package var isReleased = true
    /// The recorder's format and settings of the holder, as text that the log does not interpret.
    package var fingerprint = ""
    /// The time when the lease was taken, by the clock of the database.
    package var since: Timestamp?
    /// The number of the last event in the log.
    package var lastEvent: Int64 = 0
    /// The number of the last event that a leader's commit had applied.
    package var applied: Int64 = 0
    /// The number of the last input that a leader committed, and the time of the newest reading.
    package var lastInput: Int64 = 0
    package var lastReading: Timestamp?
    /// The clock of the database at the time of reading.
    package var now = Timestamp(milliseconds: 0)

    package init() {}
}

/// A way in which a replica takes the lease.
package enum LeaseTaking: Sendable, Equatable {
    /// The lease has to have expired by the clock of the database.
    case expired
    /// The renewal with this number stood still for longer than a lease lasts, by the clock of this machine. So the clock
    /// of the database, which may be wrong, is not asked.
    case stoodStill(renewal: Int64)
}

/// The lease of a log. It belongs to the thread that uses it, and connects by itself.
package protocol LogLease: AnyObject {
    /// Reads the lease.
    func look() throws(JournalError) -> LeaseRecord

    /// Takes the lease, so that every later commit of earlier holders is refused (`JournalError.Kind.replaced`).
    ///
    /// - Returns: the new epoch; nil where another replica has the lease.
    func take(
        _ how: LeaseTaking, after epoch: Int64, holder: String, fingerprint: String, lasting: Duration
    ) throws(JournalError) -> Int64?

    /// Renews the lease of an epoch; false where another replica has taken it.
    func renew(_ epoch: Int64, lasting: Duration) throws(JournalError) -> Bool

    /// Gives the lease up, so that another replica takes it at once. Nothing happens where another one has it.
    func release(_ epoch: Int64) throws(JournalError)

    /// Begins another history of the log, because the database lost the end of this one: the totals begin at zero, and
    /// every leader is replaced. False where the log has another id already, so somebody else did it.
    ///
    /// - Parameters:
    ///   - newID: the id of the other history, by which the caller knows its own where the answer is lost.
    ///   - epoch: the highest epoch that was ever seen. The next one is above it.
    func beginAnew(after id: String, as newID: String, aboveEpoch epoch: Int64) throws(JournalError) -> Bool

    /// Notes by how much the clock of this replica is ahead of the database's, in milliseconds. Returns the same of every
    /// replica that noted it within the last `within`.
    func note(ahead_ms: Int64, holder: String, within: Duration) throws(JournalError) -> [Int64]

    /// Notes that a process died while it applied the event with this number.
    func note(deathOf event: Int64) throws(JournalError)

    /// Closes the connection. The next call connects again.
    func close()
}

extension LogLease {
    /// The log of this lease never loses its end.
    package func beginAnew(after id: String, as newID: String, aboveEpoch epoch: Int64) throws(JournalError) -> Bool {
        false
    }

    package func note(ahead_ms: Int64, holder: String, within: Duration) throws(JournalError) -> [Int64] { [ahead_ms] }
}
