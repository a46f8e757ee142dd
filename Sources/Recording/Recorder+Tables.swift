/// A table of the recorder, and what it holds.
package struct RecorderTable: Sendable, Equatable {
    /// Stable, snake_case.
    package let name: String
    package let entries: Int
    /// The most that it may hold; nil where something else bounds it.
    package let max: Int?
    /// Its size where that is known.
    package let size_bytes: Int?

    init(_ name: String, _ entries: Int, max: Int? = nil, size_bytes: Int? = nil) {
        self.name = name
        self.entries = entries
        self.max = max
        self.size_bytes = size_bytes
    }

    init(_ name: String, _ ids: RememberedIDs) {
        self.init(name, ids.count, max: ids.limit, size_bytes: ids.size_bytes)
    }
}

extension Recorder {
    /// What the tables hold. It costs as much as a few events.
    package var tables: [RecorderTable] {
        [
            RecorderTable("rooms", rooms.count),
            RecorderTable("participants", participants.count),
            RecorderTable("tracks", tracks.count),
            RecorderTable("egresses", egress.count),
            RecorderTable("ingresses", ingress.count),
            RecorderTable("agent_jobs", agentJobs.count),
            RecorderTable("usage_rows", usage.rows.count, max: Limits.usageRows),
            RecorderTable("usage_estimates", usage.estimates.count, max: Limits.usageEstimates),
            RecorderTable("organizations", organizations.count),
            RecorderTable("licenses", licenses.count, max: Limits.licenses),
            RecorderTable("room_names", names.count, max: Limits.names),
            RecorderTable("waiting_events", waiting.count, max: settings.waitingEvents),
            RecorderTable("event_ids", seen),
            RecorderTable("ended_rooms", endedRooms),
            RecorderTable("ended_participants", endedParticipants),
            RecorderTable("ended_tracks", endedTracks),
            RecorderTable("ended_egresses", endedEgress),
            RecorderTable("ended_ingresses", endedIngress),
        ]
    }

    /// Returns true if the organization of the room with this name is known now.
    package func knowsOrganization(ofRoom name: String) -> Bool {
        let slot = names.find(name)
        if slot.isNone { return false }
        guard case .known = names[slot].resolution else { return false }
        return true
    }
}
