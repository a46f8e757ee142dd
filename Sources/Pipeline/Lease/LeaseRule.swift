package import Journal
package import Platform

/// Decides when a replica looks at the lease of a log, renews it, or takes it.
///
/// It is pure. Two clocks are asked: that of the database says whether a lease has expired; where it does not say so, a
/// renewal that stood still for longer than a lease by this machine's clock is as good. No clock matters for what is
/// counted: an earlier leader finds its next commit refused.
package struct LeaseRule: Sendable {
    enum Limits {
        /// The parts of a lease: it is renewed after one of them, so three renewals may fail.
        static let parts = 4
        /// By how much a renewal has to stand still for longer than a lease.
        static let grace = Duration.seconds(1)
    }

    /// The thing to do with the lease now.
    package enum Step: Sendable, Equatable {
        case wait
        case take(LeaseTaking)
    }

    private let ttl: Duration
    /// The renewal that was seen last, and since when it stands still while reads succeed.
    private var seen: (epoch: Int64, renewal: Int64, since: MonotonicTime)?

    package init(ttl: Duration) { self.ttl = ttl }

    /// The time between two looks.
    package var pace: Duration { ttl / Limits.parts }

    /// Takes what was read, and decides. It is for a replica that does not lead.
    package mutating func step(after record: LeaseRecord, at now: MonotonicTime) -> Step {
        if seen?.epoch != record.epoch || seen?.renewal != record.renewal {
            seen = (record.epoch, record.renewal, now)
        }
        if record.hasExpired { return .take(.expired) }
        if let seen, now.since(seen.since) >= ttl + Limits.grace {
            return .take(.stoodStill(renewal: record.renewal))
        }
        return .wait
    }

    /// Notes that the lease could not be read: nobody knows whether it was renewed meanwhile.
    package mutating func noteFailure() { seen = nil }
}
