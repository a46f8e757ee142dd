package import Platform
package import Recording
package import Status
package import Storage
package import Wire

/// The rooms that counted under `unknown` within the last hour, for the status page.
///
/// It is a pure machine. A room is there once for each reason, and leaves when its organization is found.
/// `Limits.rooms` bounds its memory; beyond that it forgets the rooms that were silent for longest.
package struct RecentUnknownRooms {
    /// The bounds, each with its reason.
    package enum Limits {
        /// Rooms that are shown. Whoever repairs so many knows the cause.
        package static let shown = 20
        /// The time for which a room stays after its last event under `unknown`.
        package static let kept: Duration = .seconds(3_600)
        /// Rooms that are remembered. With `name_bytes` they take 1 MB at most.
        package static let rooms = 2_000
        /// The bytes of a name that is remembered as a whole: as many as LiveKit allows by default.
        static let name_bytes = 256
    }

    /// The rooms, as they are shown.
    package struct Shown: Sendable, Equatable {
        /// The newest first, at most `Limits.shown`.
        package var rooms: [UnknownRoomStatus] = []
        /// The number of further rooms of the last hour, as far as they are remembered.
        package var omitted = 0

        package init(rooms: [UnknownRoomStatus] = [], omitted: Int = 0) {
            self.rooms = rooms
            self.omitted = omitted
        }
    }

    private struct Key: Hashable {
        let room: Int
        let reason: LookupError
    }

    private struct Row {
        /// The whole name, or the beginning of a long one as it is shown.
        let room: String
        let isWhole: Bool
        var at: MonotonicTime
    }

    private var rows: [Key: Row] = [:]

    package init() {}

    /// The number of rooms that are remembered.
    package var count: Int { rows.count }

    /// Notes that an event of a room counted under `unknown`. It allocates only where the room is new.
    package mutating func note(_ room: String, _ reason: LookupError, at now: MonotonicTime) {
        let key = Key(room: room.hashValue, reason: reason)
        // The database has answered since.
        if reason != .lookup_error { rows[Key(room: key.room, reason: .lookup_error)] = nil }
        if rows[key] != nil {
            rows[key]?.at = now
            return
        }
        if rows.count >= Limits.rooms { makeRoom(at: now) }
        let isWhole = room.utf8.count <= Limits.name_bytes
        let kept = isWhole ? room : room.excerpt(characters: UnknownRoomsLog.Limits.name)
        rows[key] = Row(room: kept, isWhole: isWhole, at: now)
    }

    /// Forgets the rooms that are old or have an organization now, and returns the others.
    ///
    /// - Parameter wall: the wall time at `now`.
    package mutating func shown(
        at now: MonotonicTime, wall: Timestamp, _ source: OrganizationSource, hasOrganization: (String) -> Bool
    ) -> Shown {
        if rows.isEmpty { return Shown() }
        rows = rows.filter {
            now.since($0.value.at) < Limits.kept && !($0.value.isWhole && hasOrganization($0.value.room))
        }
        let all = rows.sorted { ($1.value.at, $0.value.room) < ($0.value.at, $1.value.room) }
        let rooms = all.prefix(Limits.shown).map { key, row in
            let advice = key.reason.advice(source)
            var status = UnknownRoomStatus()
            status.room = row.isWhole ? row.room.excerpt(characters: UnknownRoomsLog.Limits.name) : row.room
            status.reason = key.reason.rawValue
            status.at = wall - now.since(row.at)
            status.what = "\(advice.what)"
            status.action = advice.action
            return status
        }
        return Shown(rooms: rooms, omitted: all.count - rooms.count)
    }

    /// Forgets the older half, so that this is not done for each room.
    private mutating func makeRoom(at now: MonotonicTime) {
        let newest = rows.sorted { $0.value.at > $1.value.at }.prefix(Limits.rooms / 2)
        rows = Dictionary(uniqueKeysWithValues: newest.map { ($0.key, $0.value) })
    }
}
