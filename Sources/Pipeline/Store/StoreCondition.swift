package import Platform
package import Wire

/// The database, as the store thread found it last.
package struct StoreCondition: Sendable {
    /// A connection is open.
    package var isConnected = false
    /// The operations that fail now, by the label values of `operation`; none while it works.
    package var failing: [String] = []
    /// The time since which they fail; nil while it works.
    package var since: Timestamp?
    /// The error of the last failure among them, without any value of a row; empty while it works.
    package var error = ""
    /// What is wrong and what to do; nil while it works.
    package var advice: Advice?

    /// The names of tables that lkpush can do without, and that it cannot use.
    package var withheldTables: [String] = []

    /// All is well, or nothing was tried yet.
    package var isWorking: Bool { failing.isEmpty }

    package init() {}
}
