import Metrics

/// Every bound of the recorder, each with its reason.
package enum Limits {
    /// Event ids, and ended SIDs and job ids of each kind, that are remembered: 24 bytes each, so 24 MB when full;
    /// ended rooms, participants and ingress 28, tracks 36.
    /// SPEC 3 promises a million; a LiveKit of 50,000 participants ends about as many tracks in six hours.
    package static let remembered = 1_000_000
    /// How long ended SIDs and job ids are remembered: longer than any retry or overtaking.
    package static let rememberedFor = Duration.seconds(24 * 3_600)
    /// Ids in one segment: 1 to 2 MiB, so that no single piece of a snapshot is large.
    package static let segment = 65_536
    /// How much longer than ids their segments are kept: ids expire at the first tick after their time.
    package static let expiryMargin = Duration.seconds(60)
    /// How long the first events of a room wait for its organization: LiveKit's own queue gives up after 30 s.
    package static let waiting = Duration.seconds(10)
    /// How long a failed lookup is believed.
    package static let failureTTL = Duration.seconds(30)
    /// How long a room's organization is kept after its last event: jobs end hours after their room.
    package static let nameKeptFor = Duration.seconds(24 * 3_600)
    /// Room names whose organization is kept: strangers may choose names, and each costs about 300 bytes.
    package static let names = 200_000
    /// How long an older SID of a room name must be silent to be given up, in event time.
    package static let roomNameSilence_ms: Int64 = 60_000
    /// How old an event may be to have somebody removed: SPEC 3.3. Later the person may be somewhere else again.
    package static let removal = Duration.seconds(60)
    /// Durations above it are mistakes of a clock: SPEC 3.
    package static let duration_ms: Int64 = 7 * 86_400_000
    /// Durations from this to 0 are 0: `createdAt` is cut to whole seconds.
    package static let negativeDuration_ms: Int64 = -2_000
    /// Longest id of an organization: a longer label would be cut, and two organizations might share their series.
    package static let organizationID_bytes = Registry.Limits.labelValue_bytes
    /// Background lookups for one turn of the clock, so that rooms that opened together do not ask together.
    package static let refreshesPerTick = 200
    /// Organizations of the last licence report that are kept for those not seen yet.
    package static let licenses = 100_000
    /// How often ids expire and names are visited.
    static let tick_ms: Int64 = 1_000
    /// How often silence of rooms and organizations is looked for: a scan of 10,000 rooms takes 50 us.
    static let sweep_ms: Int64 = 60_000
    /// A row of an event may still be on its way to the database for this long.
    static let rowOnItsWay_ms: Int64 = 60_000
}
