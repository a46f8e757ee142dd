package import Journal
package import Platform
package import Wire

/// The lease of the log, as the thread `lease` found it last.
package struct LeaseCondition: Sendable {
    /// The epoch that this replica leads; nil while it does not.
    package var epoch: Int64?
    /// The time since which it leads.
    package var since: Timestamp?
    /// The lease, as it was read last; nil before it was.
    package var record: LeaseRecord?
    /// The time when it was read.
    package var readAt: MonotonicTime?
    /// The reason why it could not be read; empty while it can.
    package var error = ""
    /// The reason why this replica may not lead; empty while it may.
    package var bar = ""

    package init() {}
}
