package import Wire

/// The recorder's rooms and people.
package struct RecorderStatus: StatusObject {
    package var rooms = 0
    package var participants = 0
    package var tracks = 0
    package var egresses = 0
    package var ingresses = 0
    package var waitingEvents = 0
    package var lookupFailures = 0
    package var unknownRooms: [UnknownRoomStatus] = []
    package var unknownRoomsOmitted = 0

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("rooms", &rooms, "rooms that are open")
        try visitor.field("participants", &participants, "participants of kind STANDARD that are connected")
        try visitor.field("tracks", &tracks, "tracks that are published")
        try visitor.field("egresses", &egresses, "recordings and streams that run")
        try visitor.field("ingresses", &ingresses, "streams that are imported")
        try visitor.field("waiting_events", &waitingEvents, "events that wait for the organization of their room")
        try visitor.field("lookup_failures_total", &lookupFailures, "events whose organization could not be found")
        try visitor.field("unknown_rooms", &unknownRooms, "rooms without an organization, the newest first, at most 20")
        try visitor.field("unknown_rooms_omitted", &unknownRoomsOmitted, "further rooms of the last hour")
    }
}

/// A room whose organization is not known.
package struct UnknownRoomStatus: StatusObject {
    package var room = ""
    package var reason = ""
    package var at = Timestamp.absent
    package var what = ""
    package var action = ""

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("room", &room, "its name, at most 64 characters")
        try visitor.field("reason", &reason, "the label reason of lk_org_lookup_failures_total")
        try visitor.field("last_timestamp_seconds", &at, "when it last counted under unknown, Unix seconds")
        try visitor.field("what", &what, "what is wrong, and what it costs")
        try visitor.field("action", &action, "what to do")
    }
}

/// The organizations with somebody in them.
package struct OrganizationsStatus: StatusObject {
    package var total = 0
    package var omitted = 0
    package var list: [OrganizationStatus] = []

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("total", &total, "how many have rooms, people or jobs now")
        try visitor.field("omitted", &omitted, "how many of them are not in the list")
        try visitor.field("list", &list, "those with the most participants, at most 500")
    }
}

/// An organization now.
package struct OrganizationStatus: StatusObject {
    package var id = ""
    package var name = ""
    package var rooms = 0
    package var participants = 0
    package var tracks = 0
    package var egresses = 0
    package var ingresses = 0

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("org_id", &id, "the label org_id")
        try visitor.field("org_name", &name, "its name; empty where it is not known")
        try visitor.field("rooms", &rooms, "open rooms")
        try visitor.field("participants", &participants, "connected participants of kind STANDARD")
        try visitor.field("tracks", &tracks, "published tracks")
        try visitor.field("egresses", &egresses, "recordings and streams that run")
        try visitor.field("ingresses", &ingresses, "streams that are imported")
    }
}
