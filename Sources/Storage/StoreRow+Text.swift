import Wire

extension StoreRow {
    /// The table that the row changes.
    package var table: String {
        switch self {
        case .session: "participant_activity_metrics"
        case .recording: "recordings"
        case .present, .absent: "room_presence"
        case .usage: UsageRow.table
        }
    }

    /// Returns the row for people, as a JSON object with the names of its table and columns.
    ///
    /// A text longer than `limit` bytes is cut there, between scalars, and ends with an ellipsis.
    package func json(textLimit limit: Int = Limits.deadLetterText_bytes) -> String {
        var object = RowText(limit: limit)
        object.add("table", table)
        switch self {
        case .session(let row):
            object.add(row.owner)
            object.add("user_id", row.userID)
            object.add("activity_date", row.day)
            object.add("total_duration_seconds", row.duration_seconds)
            object.add("session_count", Int64(1))
        case .recording(let row):
            object.add(row.owner)
            object.add("egress_id", row.egressID)
            object.add("room_id", row.roomName)
            object.add("request_type", row.requestType)
            object.add("status", row.status)
            if let startedAt = row.startedAt { object.add("started_at", startedAt) }
            object.add("ended_at", row.endedAt)
            if let duration_seconds = row.duration_seconds { object.add("duration_seconds", duration_seconds) }
            object.add("size_bytes", row.size_bytes)
            object.add("location", row.location)
            object.add("error", row.error)
            object.add("expires_at", row.expiresAt)
        case .present(let row):
            object.add(row.owner)
            object.add("participant_sid", row.participantSID)
            object.add("room_sid", row.roomSID)
            object.add("room_id", row.roomName)
            object.add("user_id", row.userID)
            object.add("identity", row.identity)
            object.add("joined_at", row.joinedAt)
        case .absent(let participantSID):
            object.add("participant_sid", participantSID)
            object.add("left", "true")
        case .usage(let row):
            object.add(row.owner)
            object.add("usage_date", row.day)
            object.add("usage", row.usage)
            object.add("seconds", Double(row.duration_ms) / 1_000)
            object.add("count", row.count)
            object.add("billed_minutes", row.billed_minutes)
        }
        return object.text
    }
}

/// Writes one JSON object.
private struct RowText {
    private let limit: Int
    private var bytes = Array("{".utf8)

    init(limit: Int) { self.limit = limit }

    var text: String { String(decoding: bytes, as: UTF8.self) + "}" }

    private mutating func name(_ name: String) {
        if bytes.count > 1 { bytes.append(UInt8(ascii: ",")) }
        JSONText.append(name, to: &bytes)
        bytes.append(UInt8(ascii: ":"))
    }

    mutating func add(_ name: String, _ value: String) {
        self.name(name)
        let kept = value.truncated(toBytes: limit)
        JSONText.append(kept.utf8.count < value.utf8.count ? kept + "…" : kept, to: &bytes)
    }

    mutating func add(_ name: String, _ value: Int64) {
        self.name(name)
        bytes.append(contentsOf: String(value).utf8)
    }

    mutating func add(_ name: String, _ value: Double) {
        // JSON cannot express a number that is not finite.
        guard value.isFinite else { return add(name, "\(value)") }
        self.name(name)
        bytes.append(contentsOf: "\(value)".utf8)
    }

    /// Adds a time. A time outside of every calendar is written in milliseconds since 1970.
    mutating func add(_ name: String, _ value: Timestamp) {
        guard StoreRow.times.contains(value.milliseconds) else { return add(name, value.milliseconds) }
        add(name, CivilTime(value).description)
    }

    /// Adds a day. A day outside of every calendar is written in days since 1970.
    mutating func add(_ name: String, _ value: CivilDate) {
        guard StoreRow.days.contains(value.daysSinceEpoch) else { return add(name, Int64(value.daysSinceEpoch)) }
        add(name, value.description)
    }

    mutating func add(_ owner: RowOwner) {
        switch owner {
        case .key(.integer(let key)): add("organization_id", key)
        case .key(.text(let key)): add("organization_id", key)
        case .organization(let id, let name):
            add("workos_org_id", id)
            add("organization_name", name)
        // The organization is that of the room, whose name stands under `room_id` if the row has one.
        case .room(let name): add("organization_of_room", name)
        }
    }
}
