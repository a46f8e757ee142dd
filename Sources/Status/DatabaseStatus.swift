package import Wire

/// The database, and the rows that wait for it.
package struct DatabaseStatus: StatusObject {
    package var engine = ""
    package var url = ""
    package var isUp = false
    package var error = ""
    package var failing: [String] = []
    package var action = ""
    package var since: Timestamp?
    package var rowsWaiting = 0
    package var rowsWritten = 0
    package var rowsLost = 0
    package var lastRowLost: Timestamp?
    package var errors = 0
    package var deadLetters = 0
    package var deadLettersDropped = 0
    package var lastDeadLetters: [DeadLetterStatus] = []

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("engine", &engine, "postgresql or sqlite")
        try visitor.field("url", &url, "the address, without its password")
        try visitor.field("up", &isUp, "whether it is connected")
        try visitor.field("error", &error, "why it does not work, or what it fails; empty while it works")
        try visitor.field("failing_operations", &failing, "the operations that fail now")
        try visitor.field("action", &action, "what to do; empty while it works")
        try visitor.field("failing_since_timestamp_seconds", &since, "since when, Unix seconds; null while it works")
        try visitor.field("rows_waiting", &rowsWaiting, "rows that wait")
        try visitor.field("rows_written_total", &rowsWritten, "rows written")
        try visitor.field("rows_lost_total", &rowsLost, "rows given up")
        try visitor.field(
            "last_row_lost_timestamp_seconds", &lastRowLost,
            "when one was given up last, Unix seconds; null where none was")
        try visitor.field("errors_total", &errors, "operations that failed")
        try visitor.field(
            "dead_letters", &deadLetters, "rows that it refused and events that were set aside, kept in the journal")
        try visitor.field(
            "dead_letters_dropped_total", &deadLettersDropped,
            "those that were deleted to make room for later ones")
        try visitor.field(
            "last_dead_letters", &lastDeadLetters,
            "the last ones since the start, the newest first, at most 20")
    }
}

/// A row that the database refused, or an event that was set aside because processes died of it.
package struct DeadLetterStatus: StatusObject {
    /// The place of the table's name for an event.
    package static let event = "event"

    package var at = Timestamp.absent
    package var table = ""
    package var reason = ""

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("timestamp_seconds", &at, "when, Unix seconds")
        try visitor.field("table", &table, "the table that it was for; event for an event that was set aside")
        try visitor.field("reason", &reason, "what the database said, or why the event was set aside")
    }
}
