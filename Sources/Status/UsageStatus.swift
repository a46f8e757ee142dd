package import Wire

/// Usage in the units of an invoice, of all organizations together.
package struct UsageStatus: StatusObject {
    package var connections: [ConnectionsStatus] = []
    package var connection_minutes = 0.0
    package var since = Timestamp.absent
    package var agentsRunning = 0
    package var agentsPending = 0
    package var calls = 0
    package var ahead_seconds = 0.0
    package var uncertain_seconds = 0.0
    package var isTableWithheld = false
    package var rowsWaiting = 0
    package var rowsLost = 0
    package var lastRowLost: Timestamp?

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("connections", &connections, "connections of each kind, the most frequent first")
        try visitor.field(
            "connection_minutes_today", &connection_minutes,
            "minutes that connections of all kinds lasted today (UTC), as far as this process saw it")
        try visitor.field(
            "today_since_timestamp_seconds", &since,
            "the time from which it saw today: midnight UTC or its start, Unix seconds; 0 before it counts")
        try visitor.field("agent_jobs_running", &agentsRunning, "agents that work")
        try visitor.field("agent_jobs_pending", &agentsPending, "jobs that wait for an agent")
        try visitor.field("calls", &calls, "calls by telephone that are open")
        try visitor.field(
            "ahead_seconds", &ahead_seconds,
            "what usage counters showed before ends that were reported late; later growth pays it")
        try visitor.field(
            "uncertain_seconds_total", &uncertain_seconds,
            "usage of which nobody knows whether it was used, since the start")
        try visitor.field(
            "table_withheld", &isTableWithheld,
            "whether lkpush_usage_daily cannot be used, so that its rows wait and lkpush report lacks them")
        try visitor.field("rows_waiting", &rowsWaiting, "rows of usage that wait for that table")
        try visitor.field("rows_lost_total", &rowsLost, "rows of usage given up, since the start")
        try visitor.field(
            "last_row_lost_timestamp_seconds", &lastRowLost,
            "when one was given up last, Unix seconds; null where none was")
    }
}

/// The connections of one kind.
package struct ConnectionsStatus: StatusObject {
    package var kind = ""
    package var active = 0
    package var minutes = 0.0

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("kind", &kind, "the label kind of lk_connections_active")
        try visitor.field("active", &active, "connections that are open")
        try visitor.field("minutes_today", &minutes, "their part of connection_minutes_today")
    }
}
