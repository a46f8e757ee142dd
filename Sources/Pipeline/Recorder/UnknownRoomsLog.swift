package import Platform
package import Recording
package import Storage

/// Logs which rooms have no organization, why, and what to do about it. No other part ever logs the name of a room. It
/// belongs to the recorder thread.
package struct UnknownRoomsLog {
    /// The bounds of a line, each with its reason.
    package enum Limits {
        /// Characters of a name: an id of any application, or enough of a title to find it by.
        package static let name = 64
    }

    private var rooms = UnknownRooms()
    private let source: OrganizationSource
    private let log: Log

    package init(source: OrganizationSource, log: Log) {
        self.source = source
        self.log = log
    }

    /// Notes that an event of this room counted under `unknown`, and logs it where that is due.
    package mutating func note(_ room: String, _ reason: LookupError, at now: MonotonicTime) {
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

    private func say(_ line: UnknownRooms.Line, _ room: String = "") {
        switch line {
        case .room(let reason, let untold):
            let name = Log.Value.string(room.excerpt(characters: Limits.name))
            let message = Self.message(reason, source)
            if untold > 0 {
                log.warning(
                    message, ["reason": .string(reason.rawValue), "room": name, "rooms_untold": .int(untold)])
            } else {
                log.warning(message, ["reason": .string(reason.rawValue), "room": name])
            }
        case .untold(let count):
            log.warning(
                """
                further rooms have no organization and were not named, too many at once: they count under unknown too, \
                see lk_org_lookup_failures_total
                """, ["rooms_untold": .int(count)])
        }
    }

    /// Returns the message: what is wrong, what it costs and what to do.
    private static func message(_ reason: LookupError, _ source: OrganizationSource) -> StaticString {
        switch (reason, source) {
        case (.lookup_error, .roomName):
            """
            a room has no organization and counts under unknown: ORG_ROOM_PATTERN takes too long for its name, make the \
            pattern simpler
            """
        case (.lookup_error, _):
            """
            a room's organization could not be looked up in time: its events count under unknown and its rows wait until \
            the database answers, which the errors about the database explain
            """
        case (.room_not_found, .roomName):
            """
            a room has no organization and counts under unknown: its name does not match ORG_ROOM_PATTERN, name the room \
            so or change the pattern
            """
        case (.room_not_found, _):
            """
            a room has no organization, counts under unknown and gets no rows: the lookup finds no room whose id is this \
            name, add it to the table rooms, see ORG_LOOKUP_SQL and lkpush check
            """
        case (.no_organization, .metadata):
            """
            a room has no organization, counts under unknown and gets no rows: its metadata holds no ORG_METADATA_KEY, \
            set it where the room is made
            """
        case (.no_organization, _):
            """
            a room has no organization, counts under unknown and gets no rows: the database knows the room and no \
            organization of it, set its organization_id
            """
        case (.no_org_id, .metadata), (.no_org_id, .roomName):
            """
            a room has no organization, counts under unknown and gets no rows: what its name or metadata says is empty or \
            too long for an id, see ORG_ROOM_PATTERN or ORG_METADATA_KEY
            """
        case (.no_org_id, _):
            """
            a room has no organization, counts under unknown and gets no rows: its organization has no workos_org_id, or \
            one that is too long, set it in the table organizations
            """
        case (.not_configured, _):
            """
            a room has no organization and counts under unknown: nothing says where organizations come from, see \
            ORG_SOURCE
            """
        }
    }
}
