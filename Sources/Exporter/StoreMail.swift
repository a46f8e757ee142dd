import Platform
import Wire

/// What others leave for the store thread.
struct StoreMail {
    var outbox: StoreOutbox
    /// Rooms to look up, in the order they were asked for, each once.
    private(set) var lookups: [String] = []
    private var asked: Set<ExactText> = []
    /// The database was tried once: it works, or it is known not to.
    var isTried = false
    /// Who is in a room has to be asked, once.
    var wantsPresence = false
    /// Stop was asked for; rows are drained until then.
    var stopBy: MonotonicTime?
    /// The thread is done; so many rows are left.
    var rowsLeft: Int?

    init(capacity: Int) {
        // Until a journal says otherwise, rows are numbered by the process that makes them.
        outbox = StoreOutbox(capacity: capacity, journal: RandomName.make())
    }

    /// False where too many wait.
    mutating func ask(_ room: String, limit: Int) -> Bool {
        if asked.contains(ExactText(room)) { return true }
        guard lookups.count < limit else { return false }
        asked.insert(ExactText(room))
        lookups.append(room)
        return true
    }

    /// The first `limit` rooms; they wait until they are `answered`.
    func pending(limit: Int) -> [String] { Array(lookups.prefix(limit)) }

    /// The first `count` rooms have their answers.
    mutating func answered(_ count: Int) {
        for room in lookups.prefix(count) { asked.remove(ExactText(room)) }
        lookups.removeFirst(count)
    }
}
