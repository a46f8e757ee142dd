/// The figures in which the recorder and the plain model must agree: Specification, *Recorder* and "Lives".
struct LivesFigures: Equatable, CustomStringConvertible {
    /// A row of a session.
    struct Session: Hashable, Comparable {
        var user: Int64
        var took_ms: Int64

        static func < (left: Session, right: Session) -> Bool {
            (left.user, left.took_ms) < (right.user, right.took_ms)
        }
    }

    var rooms: Int64 = 0, people: Int64 = 0, tracks: Int64 = 0
    var roomsStarted: Int64 = 0, roomsFinished: Int64 = 0, sessions: Int64 = 0, published: Int64 = 0
    var roomDurations: Int64 = 0, room_ms: Int64 = 0, lifetimes: Int64 = 0, life_ms: Int64 = 0
    var implausible: Int64 = 0
    /// All rows so far, sorted.
    var rows: [Session] = []
    /// SIDs of the participants that the presence table holds, sorted.
    var present: [String] = []

    var description: String {
        """
        open \(rooms)/\(people)/\(tracks), rooms started \(roomsStarted) finished \(roomsFinished), \
        sessions \(sessions), published \(published), room durations \(roomDurations) (\(room_ms) ms), \
        lifetimes \(lifetimes) (\(life_ms) ms), implausible \(implausible), \
        rows \(rows.map { "\($0.user):\($0.took_ms) ms" }), present \(present)
        """
    }

    /// What was added since `before`; gauges, too, are told as differences. `present` is as it is.
    func since(_ before: LivesFigures) -> LivesFigures {
        var difference = self
        for field in Self.numbers { difference[keyPath: field] -= before[keyPath: field] }
        return difference
    }

    private static var numbers: [WritableKeyPath<LivesFigures, Int64>] {
        [
            \.rooms, \.people, \.tracks, \.roomsStarted, \.roomsFinished, \.sessions, \.published, \.roomDurations,
            \.room_ms, \.lifetimes, \.life_ms, \.implausible,
        ]
    }
}
