import LiveKit

/// One life of one SID in the plain model: a room's, a participant's or a track's. Specification, *Lives*.
struct Life {
    /// When something began: the second that decides between lives, and the exact time that a duration begins at.
    struct Beginning {
        var second: Int64
        var start_ms: Int64

        /// The earlier one.
        static func first(_ all: [Beginning]) -> Beginning? {
            all.min { ($0.second, $0.start_ms) < ($1.second, $1.start_ms) }
        }
    }

    /// Who ended it: its own event, its room's end, or something else.
    enum Closer { case itself, room, other }

    /// "The remembered end's `createdAt`".
    struct End {
        var second: Int64
        var closer: Closer
    }

    /// No earlier life of its SID was remembered when it began.
    var isFirst = true
    var isStartCounted = false
    var isEndCounted = false
    /// Unknown where only the end of it is known.
    var began: Beginning?
    /// Nil while it is open.
    var end: End?
    /// Nothing but its room's end has closed it.
    var isClosedByRoomAlone = false

    // A room's.
    /// Seconds of the `room_started` events of it that came.
    var starts: [Int64] = []
    /// The first creation time that a payload told.
    var creation_ms: Int64?
    /// "start = `creationTimeMs`, else `creationTime`, else `createdAt`".
    var start_ms: Int64?
    /// The second of the `room_started` whose `createdAt` is the start.
    var startedAt: Int64?
    /// Of the participants, tracks and `room_started` that are known of it.
    var beginnings: [Beginning] = []

    // A participant's.
    var room = ""
    var identity = ""
    /// "state, which holds the join event's `joinedAtMs`, `joinedAt` or `createdAt`".
    var join_ms: Int64?

    // A track's.
    var participant = ""
    /// Seconds of the `track_published` events of it that came while it was open.
    var published: [Int64] = []
    /// The latest that its own events told.
    var version: TrackVersion?

    var isOpen: Bool { end == nil }

    /// When a room's life began, as far as anything known of it tells.
    var roomBegan: Beginning? { Beginning.first(beginnings + (began.map { [$0] } ?? [])) }

    /// Closes it. "An end closes what began before it": a life does not end before it began.
    mutating func close(at second: Int64, by closer: Closer) {
        end = End(second: max(second, began?.second ?? second), closer: closer)
        isClosedByRoomAlone = closer == .room
    }

    /// "An end that finds nothing open moves the remembered end forward".
    mutating func moveEnd(to second: Int64) {
        if second >= end?.second ?? second { end = End(second: second, closer: .itself) }
        isClosedByRoomAlone = false
    }

    /// Keeps the larger version.
    mutating func note(_ version: TrackVersion?) {
        guard let version else { return }
        self.version = max(self.version ?? version, version)
    }
}
