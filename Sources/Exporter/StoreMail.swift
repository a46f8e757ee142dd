import Platform
import Wire

/// What others leave for the store thread.
struct StoreMail {
    var outbox: StoreOutbox
    /// Rooms to look up, in the order they were asked for, each once.
    private var rooms = Fifo<String>()
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
        outbox = StoreOutbox(capacity: capacity, journal: RandomID.make())
    }

    /// Rooms wait for an answer.
    var hasLookups: Bool { !rooms.isEmpty }
    var lookupCount: Int { rooms.count }

    /// False where too many wait.
    mutating func ask(_ room: String, limit: Int) -> Bool {
        if asked.contains(ExactText(room)) { return true }
        guard rooms.count < limit else { return false }
        asked.insert(ExactText(room))
        rooms.append(room)
        return true
    }

    /// The first `limit` rooms; they wait until they are `answered`.
    func pending(limit: Int) -> [String] { Array(rooms.all.prefix(limit)) }

    /// The first room has its answer.
    mutating func answered() {
        if let room = rooms.popFirst() { asked.remove(ExactText(room)) }
    }
}
