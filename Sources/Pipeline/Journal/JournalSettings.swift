package import Journal
package import Platform

/// The settings of the journal: where the state is kept, and how carefully.
package struct JournalSettings: Sendable {
    /// The values of `DURABILITY`.
    package enum Durability: String, Sendable, CaseIterable {
        /// A webhook is answered when its event is on disk.
        case commit
        /// A webhook is answered when its event is queued: for a pod without a disk.
        case memory
    }

    /// The bounds of waits and memory, each with its reason.
    enum Limits {
        /// The wait between attempts to write a journal that cannot be written. It is short enough that a sender's next
        /// attempt finds the journal well again, and long enough to leave a full disk in peace.
        static let backoff = Backoff(from: .milliseconds(100), to: .seconds(1), jitter: .none)
        /// The wait between attempts to open a folder that another process holds.
        static let lockPace = Duration.milliseconds(250)
        /// The events of a commit that comes from a crowd: the next events are on their way, and wait for each other.
        static let crowd = 8
        /// The events that need no more company: a commit costs as much as a few of them.
        static let company = 96
        /// The longest wait of events for company, however long the last commit took. It must not show in an answer.
        static let gathering = Duration.milliseconds(1)
        /// The wait of a reading for the journal. After that it leaves anyway, because silence would be worse.
        static let readingPatience = Duration.seconds(1)
        /// The inputs that wait for a journal that cannot be written: answers and reports of many hours.
        static let inputs_bytes = 16 << 20
        /// The pace at which the room on the disk is looked at: below any interval of pushing that is of use.
        static let diskPace = Duration.seconds(5)
        /// The wait between two looks at a shared log, while events come and while none do. Nobody waits for what the
        /// recorder does but a session that is to be removed.
        static let logPace = Duration.milliseconds(20)
        static let idleLogPace = Duration.milliseconds(100)
        /// The wait between two commits of a shared log that only note what was applied. Each costs a round trip to the
        /// database, and its standby.
        static let turnPace = Duration.milliseconds(50)
        /// The events of a shared log between two snapshots. A new leader applies as many again in two seconds.
        static let eventsPerSnapshot: Int64 = 500_000
        /// The deaths of one event after which it is set aside: one may be anything that kills at random, two may be a
        /// coincidence. Each costs a restart.
        static let deaths = 3
        /// The bytes of each text of a dead event. A person recognizes it by less.
        static let eventText_bytes = 256
        /// The pace at which people are told what waits: faster than anybody reads it.
        static let statusPace = Duration.seconds(1)
    }

    /// Opens the journal; nil where nothing is kept at all.
    package let open: OpenJournal?
    package private(set) var durability: Durability
    /// `JOURNAL_MAX_BYTES`.
    package let maxBytes: ByteCount
    /// `SNAPSHOT_INTERVAL`. In a shared log, snapshots are rarer.
    package private(set) var snapshotInterval: Duration
    /// The names of the destinations. The start forgets what any other was sent.
    package let destinations: Set<String>
    /// The folder whose file system is watched. Nil if none is.
    package let directory: String?
    /// The journal is a log that several processes share.
    package private(set) var isShared = false
    /// The most events of a shared log that the recorder is given before it has taken them.
    private(set) var logRoom = 0
    /// The number of the event in hand, with a shared journal. With another one the journal thread opens it in
    /// `directory`, because only that thread knows when the folder is its own.
    package private(set) var hand: EventInHand?
    /// The numbers of the shared log that this machine saw; nil where nothing is kept on it.
    private(set) var marks: LogMarks?

    package init(
        open: OpenJournal?, durability: Durability, maxBytes: ByteCount, snapshotInterval: Duration,
        destinations: Set<String>, directory: String? = nil
    ) {
        self.directory = directory
        self.destinations = destinations
        self.snapshotInterval = snapshotInterval
        self.open = open
        self.durability = durability
        self.maxBytes = maxBytes
    }

    /// Makes them the settings of a log that several processes share. What is counted always rests on the log, whatever
    /// is kept on this machine.
    ///
    /// - Parameters:
    ///   - room: the most events that the recorder is given before it has taken them.
    ///   - snapshotInterval: the least time between two snapshots.
    ///   - marks: the numbers of the log that this machine saw.
    ///   - hand: the event that this process has in hand.
    package mutating func share(room: Int, snapshotInterval least: Duration, marks: LogMarks?, hand: EventInHand?) {
        self.marks = marks
        self.hand = hand
        isShared = true
        durability = .commit
        logRoom = room
        snapshotInterval = max(snapshotInterval, least)
    }
}
