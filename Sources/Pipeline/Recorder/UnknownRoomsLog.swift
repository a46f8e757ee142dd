package import Platform
package import Recording
import Status
package import Storage
import Wire

/// Logs which rooms have no organization, why, and what to do about it, and remembers them for the status page. No other
/// part ever logs the name of a room. It belongs to the recorder thread.
package struct UnknownRoomsLog {
    /// The bounds of a line, each with its reason.
    package enum Limits {
        /// Characters of a name: an id of any application, or enough of a title to find it by.
        package static let name = 64
    }

    private var rooms = UnknownRooms()
    private var recent = RecentUnknownRooms()
    private let source: OrganizationSource
    private let log: Log

    package init(source: OrganizationSource, log: Log) {
        self.source = source
        self.log = log
    }

    /// Notes that an event of this room counted under `unknown`, and logs it where that is due.
    package mutating func note(_ room: String, _ reason: LookupError, at now: MonotonicTime) {
        recent.note(room, reason, at: now)
        guard let line = rooms.note(room, reason, at: now) else { return }
        say(line, room)
    }

    /// Logs the count that is overdue. Call it now and then.
    package mutating func look(at now: MonotonicTime) {
        if let line = rooms.overdue(at: now) { say(line) }
    }

    /// Logs the count that is left at the end.
    package mutating func finish() {
        if let line = rooms.rest() { say(line) }
    }

    // MARK: Status

    /// Returns the rooms of the last hour that still have no organization.
    mutating func shown(
        at now: MonotonicTime, wall: Timestamp, hasOrganization: (String) -> Bool
    ) -> RecentUnknownRooms.Shown {
        recent.shown(at: now, wall: wall, source, hasOrganization: hasOrganization)
    }

    /// What it remembers.
    var tables: [TableMemory] {
        [
            TableMemory("unknown_rooms_told", rooms.count, max: UnknownRooms.Limits.names),
            TableMemory("unknown_rooms_shown", recent.count, max: RecentUnknownRooms.Limits.rooms),
        ]
    }

    private func say(_ line: UnknownRooms.Line, _ room: String = "") {
        switch line {
        case .room(let reason, let untold):
            let name = Log.Value.string(room.excerpt(characters: Limits.name))
            let advice = reason.advice(source)
            if untold > 0 {
                log.warning(
                    advice.what,
                    [
                        "reason": .string(reason.rawValue), "room": name, "rooms_untold": .int(untold),
                        "action": advice.field,
                    ])
            } else {
                log.warning(
                    advice.what, ["reason": .string(reason.rawValue), "room": name, "action": advice.field])
            }
        case .untold(let count):
            log.warning(Self.further.what, ["rooms_untold": .int(count), "action": Self.further.field])
        }
    }

    private static let further = Advice(
        what: """
            further rooms have no organization and were not named, too many at once: they count under unknown too
            """,
        action: "repair the rooms that are named; lk_org_lookup_failures_total counts the events of all by reason")
}

extension LookupError {
    /// What is wrong with a room that has no organization for this reason, and what to do.
    package func advice(_ source: OrganizationSource) -> Advice {
        switch (self, source) {
        case (.lookup_error, .roomName):
            Advice(
                what: """
                    a room has no organization and counts under unknown: ORG_ROOM_PATTERN takes too long for its name
                    """,
                action: "make ORG_ROOM_PATTERN simpler")
        case (.lookup_error, _):
            Advice(
                what: """
                    a room's organization could not be looked up in time: its events count under unknown and its rows wait \
                    until the database answers
                    """,
                action: "see what is said about the database: it does not answer, or too slowly")
        case (.room_not_found, .roomName):
            Advice(
                what: """
                    a room has no organization and counts under unknown: its name does not match ORG_ROOM_PATTERN
                    """,
                action: "give rooms names that ORG_ROOM_PATTERN matches, or change the pattern")
        case (.room_not_found, _):
            Advice(
                what: """
                    a room has no organization, counts under unknown and gets no rows: the lookup finds no room whose id is \
                    this name
                    """,
                action: "add it to the table rooms before anybody joins, see ORG_LOOKUP_SQL and lkpush check")
        case (.no_organization, .metadata):
            Advice(
                what: """
                    a room has no organization, counts under unknown and gets no rows: its metadata holds no ORG_METADATA_KEY
                    """,
                action: "set it in the metadata where the room is made, or correct ORG_METADATA_KEY")
        case (.no_organization, _):
            Advice(
                what: """
                    a room has no organization, counts under unknown and gets no rows: the database knows the room and no \
                    organization of it
                    """,
                action: "set its organization_id in the table rooms, see ORG_LOOKUP_SQL")
        case (.no_org_id, .metadata), (.no_org_id, .roomName):
            Advice(
                what: """
                    a room has no organization, counts under unknown and gets no rows: what its name or metadata says is \
                    empty or too long for an id
                    """,
                action: "see ORG_ROOM_PATTERN or ORG_METADATA_KEY: an id has 1 to 1,024 bytes")
        case (.no_org_id, _):
            Advice(
                what: """
                    a room has no organization, counts under unknown and gets no rows: its organization has no workos_org_id, \
                    or one that is too long
                    """,
                action: "set workos_org_id in the table organizations: 1 to 1,024 bytes")
        case (.not_configured, _):
            Advice(
                what: """
                    a room has no organization and counts under unknown: nothing says where organizations come from
                    """,
                action: "set ORG_SOURCE, or DATABASE_URL")
        }
    }
}
