package import Storage

/// The pace at which the store asks the database, and how much it holds while the database is away. The defaults of
/// what users can set are in `Settings`.
package struct StoreSettings: Sendable {
    package enum Limits {
        /// The most rows in memory: some 10 MB. With a journal fewer are in memory, and the rest waits on disk. Without
        /// one the oldest rows beyond this are given up.
        package static let rowsWaiting = 20_000
        /// Rows of one transaction: enough to make the commit's cost small, few enough that a look-up waits briefly.
        package static let rowsInBatch = 500
        /// The time that rows gather after a batch, unless a full one is there. A commit costs the device the same for
        /// one row as for hundreds, and webhooks wait for the same device.
        package static let gathering = Duration.milliseconds(50)
        /// Rooms that wait for an answer: more than are ever open. Each is a name of some 40 bytes.
        package static let lookupsWaiting = 100_000
        /// The time that the database remembers how far the rows of an unused journal were applied: longer than anybody
        /// keeps a copy of a state folder.
        package static let originsKept = Duration.seconds(90 * 86_400)
        /// The shortest pause between two questions for the database's time: each costs a round trip.
        static let clockPace = Duration.seconds(60)
        /// An open connection of which nothing was asked for so long is looked at. A database that is away is then told
        /// within 15 s, also in the quiet of a night.
        package static let idle = Duration.seconds(10)
    }

    /// The intervals of the background jobs: Specification, *Background work*. Each is spread by a tenth, so that
    /// processes do not ask in step.
    package var licenseRefresh: Duration
    package var activityRefresh: Duration
    package var egressRefresh: Duration
    package var presenceRefresh: Duration
    package var purgeInterval: Duration
    /// Activity of days older than this is deleted; zero means never.
    package var activityRetention: Duration
    /// The user has set the retention. Only then old activity is deleted from a table that was there before lkpush.
    package var isRetentionSet: Bool

    package var lookup: LookupQuery
    /// Organizations come from the database.
    package var asksForRooms: Bool
    package var rowsWaiting = Limits.rowsWaiting
    package var rowsInBatch = Limits.rowsInBatch
    package var gathering = Limits.gathering

    package var idle = Limits.idle
    package var minBackoff = Duration.milliseconds(200)
    package var maxBackoff = Duration.seconds(30)
    /// The time that look-ups are tried again before they are answered with `lookup_error`. It is less than the 10 s
    /// that events wait, so that a short trouble of the database costs no event its organization.
    package var lookupPatience = Duration.seconds(5)

    package init(
        licenseRefresh: Duration, activityRefresh: Duration, egressRefresh: Duration, presenceRefresh: Duration,
        purgeInterval: Duration, activityRetention: Duration, isRetentionSet: Bool, lookup: LookupQuery,
        asksForRooms: Bool
    ) {
        self.licenseRefresh = licenseRefresh
        self.activityRefresh = activityRefresh
        self.egressRefresh = egressRefresh
        self.presenceRefresh = presenceRefresh
        self.purgeInterval = purgeInterval
        self.activityRetention = activityRetention
        self.isRetentionSet = isRetentionSet
        self.lookup = lookup
        self.asksForRooms = asksForRooms
    }

    /// Returns the interval of a background job.
    func interval(of job: StoreOperation) -> Duration {
        switch job {
        case .licenses: licenseRefresh
        case .activity: activityRefresh
        case .recordings: egressRefresh
        case .presence: presenceRefresh
        case .purge: purgeInterval
        case .open, .migrate, .lookup, .write, .restore: .zero
        }
    }
}
