import Metrics

/// The bounds of the recorder, each with its reason.
package enum Limits {
    /// The most that `REMEMBERED_IDS_MAX` may be: a place among so many leaves bits for a part of the key.
    package static let mostRemembered = 16_000_000
    /// The time for which ended SIDs and job ids are remembered. It is longer than any retry or reordering.
    package static let rememberedFor = Duration.seconds(24 * 3_600)
    /// The ids in one segment: 1 to 2 MiB, so that no single piece of a snapshot is large.
    package static let segment = 65_536
    /// The time for which segments are kept beyond their ids, because ids expire at the first tick after their time.
    package static let expiryMargin = Duration.seconds(60)
    /// The time for which the first events of a room wait for its organization. LiveKit's own queue gives up after 30
    /// s.
    package static let waiting = Duration.seconds(10)
    /// The time for which a failed lookup is cached.
    package static let failureTTL = Duration.seconds(30)
    /// The time for which a room's organization is kept after its last event, because jobs end hours after their room.
    package static let nameKeptFor = Duration.seconds(24 * 3_600)
    /// The most room names whose organization is kept. Strangers may choose names, and each costs about 300 bytes.
    package static let names = 200_000
    /// The time for which an older SID of a room name must be silent to be given up, by the events' own clock.
    package static let roomNameSilence_ms: Int64 = 60_000
    /// The age up to which an event may cause a removal: later the person may be somewhere else again. Specification,
    /// "Single-session enforcement".
    package static let removal = Duration.seconds(60)
    /// The longest plausible duration. Longer ones are mistakes of a clock: Specification, *Recorder*.
    package static let duration_ms: Int64 = 7 * 86_400_000
    /// The most negative duration that counts as 0, because `createdAt` is cut to whole seconds.
    package static let negativeDuration_ms: Int64 = -2_000
    /// The longest id of an organization. A longer label would be cut, and two organizations could share their series.
    package static let organizationID_bytes = Registry.Limits.labelValue_bytes
    /// The most background lookups in one tick, so that rooms that opened together do not ask together.
    package static let refreshesPerTick = 200
    /// The most organizations that are kept from the last licence report for later, because they have had no event yet.
    package static let licenses = 100_000
    /// The age up to which an event keeps a poll from correcting its entity: 30 s in LiveKit's queue, 15 s of its
    /// retries, and the lag of the network.
    package static let hot = Duration.seconds(60)
    /// The time before the end of `rememberedFor` from which a poll does not recover a recording any more, because the
    /// end may just have been forgotten.
    static let recoveryMargin = Duration.seconds(3_600)
    /// The age of LiveKit's number of participants, twice.
    static let countAge_ms: Int64 = 10_000
    /// The longest time without a poll after which the last one still counts as evidence for what ends unseen.
    static let evidence_ms: Int64 = 600_000
    /// The interval at which ids expire and room names are checked.
    static let tick_ms: Int64 = 1_000
    /// The interval at which silent rooms and idle organizations are looked for. A scan of 10,000 rooms takes 50 us.
    static let sweep_ms: Int64 = 60_000
    /// The longest time between two inputs of a running process, three times over. More than that is a gap in which
    /// usage does not count. Specification, *Usage*.
    static let usageGap_ms: Int64 = 30_000
    /// The longest time for which an event waits for its commit, where the disk hangs. An event that was received earlier
    /// than this before the last input shows that the clock was put back.
    static let usageLate_ms: Int64 = 900_000
    /// The interval of the rows of usage.
    static let usageRows_ms: Int64 = 300_000
    /// The most amounts of usage that wait for the database: a year of 30 organizations with 9 usages each. Each takes
    /// about 150 bytes.
    package static let usageRows = 100_000
    /// The most uses whose estimated end is remembered. Each takes about 100 bytes.
    package static let usageEstimates = 100_000
    /// The time for which an event's row may still be on its way to the database.
    static let rowOnItsWay_ms: Int64 = 60_000
}
