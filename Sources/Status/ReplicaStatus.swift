package import Wire

/// This process as one of the replicas that share a journal: who leads, and how it reaches the journal itself.
package struct ReplicaStatus: StatusObject {
    package var name = ""
    package var isLeader = false
    package var holder = ""
    package var epoch = 0
    package var since: Timestamp?
    package var lastEvent = 0
    package var applied = 0
    package var behind = 0
    package var contactAge: Double?
    package var reason = ""
    package var error = ""
    package var isLogUp: Bool?
    package var logError = ""
    package var logSince: Timestamp?
    package var spilledEvents = 0
    package var spilled_bytes = 0
    package var spillError = ""
    package var spillLost = 0
    package var lastSpillLoss: Timestamp?

    package init() {}

    /// Nobody leads, for certain: the lease was read just now, and has run out.
    package var hasNoLeader: Bool { holder.isEmpty && contactAge != nil && error.isEmpty }

    /// One line for people: who leads, and how far.
    package var leaderLine: String {
        if hasNoLeader { return "leader: none" }
        if holder.isEmpty { return "leader: not known" }
        let place = isLeader ? " (this replica)" : ""
        // A state that was read long ago may be over.
        let age = error.isEmpty ? "" : contactAge.map { ", as of \(HealthText.span($0)) ago" } ?? ""
        return "leader: \(HealthText.line(holder))\(place), epoch \(epoch), \(behind) events behind\(age)"
    }

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("name", &name, "the host name of this replica")
        try visitor.field("leads", &isLeader, "whether this replica leads")
        try visitor.field("holder", &holder, "the host name of the replica that leads; empty where none does")
        try visitor.field("epoch", &epoch, "how often the lead was taken; 0 before the first time")
        try visitor.field(
            "since_timestamp_seconds", &since, "since when it leads, Unix seconds; null where none does")
        try visitor.field("last_event", &lastEvent, "the number of the last event in the shared log")
        try visitor.field("applied_event", &applied, "the number of the last event that a leader has applied")
        try visitor.field("events_behind", &behind, "events in the log that no leader has applied yet")
        try visitor.field(
            "contact_age_seconds", &contactAge, "the time since this replica read the lease; null before the first time"
        )
        try visitor.field("reason", &reason, "why this replica may not lead; empty while it may")
        try visitor.field("error", &error, "why the lease cannot be read; empty while it can")
        try visitor.field(
            "log_up", &isLogUp, "whether this replica can append to the log; null before it has tried")
        try visitor.field("log_error", &logError, "why it cannot; empty while it can")
        try visitor.field(
            "log_failing_since_timestamp_seconds", &logSince, "since when it cannot, Unix seconds; null while it can")
        try visitor.field("spilled_events", &spilledEvents, "events that wait in STATE_DIR for the log")
        try visitor.field("spilled_size_bytes", &spilled_bytes, "their size")
        try visitor.field("spill_error", &spillError, "why STATE_DIR can keep no events; empty while it can")
        try visitor.field("spill_lost_events_total", &spillLost, "events in STATE_DIR that could not be read any more")
        try visitor.field(
            "last_spill_loss_timestamp_seconds", &lastSpillLoss,
            "when such events were found last, Unix seconds; null where none were")
    }
}
