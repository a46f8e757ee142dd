package import Wire

/// Webhooks, from the listener to the recorder.
package struct IntakeStatus: StatusObject {
    package var address = ""
    package var eventsPerSecond: Double?
    package var events = 0
    package var duplicates = 0
    package var rejected = 0
    package var lastEvent: Timestamp?
    package var lag: Double?
    package var queue = 0
    package var queueCapacity = 0
    package var requestsWaiting = 0
    package var connections = 0
    package var rejections: [RejectionStatus] = []

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("listen_address", &address, "where webhooks are taken")
        try visitor.field(
            "events_per_second", &eventsPerSecond,
            "webhook events of the last 15 s; null before it is known")
        try visitor.field("events_total", &events, "events applied, duplicates not counted")
        try visitor.field("duplicates_total", &duplicates, "events that had been received before")
        try visitor.field("rejected_total", &rejected, "requests that were refused")
        try visitor.field(
            "last_event_timestamp_seconds", &lastEvent,
            "when the last event was taken, Unix seconds; null where none was")
        try visitor.field(
            "delivery_lag_seconds", &lag,
            "mean time from the creation of an event to its receipt, over the last minute; null where there was none")
        try visitor.field("queue_events", &queue, "events between listener and recorder")
        try visitor.field("queue_capacity_events", &queueCapacity, "QUEUE_SIZE")
        try visitor.field("requests_waiting", &requestsWaiting, "requests that wait for room in the queue")
        try visitor.field("connections", &connections, "open connections of the public listener")
        try visitor.field("rejections", &rejections, "refused requests by reason, the newest first")
    }
}

/// The requests that were refused for one reason.
package struct RejectionStatus: StatusObject {
    package var reason = ""
    package var total = 0
    package var last = Timestamp.absent
    package var detail = ""
    package var what = ""
    package var action = ""

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("reason", &reason, "the label reason of lkpush_webhook_rejected_total")
        try visitor.field("total", &total, "how many since the start")
        try visitor.field("last_timestamp_seconds", &last, "when the last one came, Unix seconds")
        try visitor.field(
            "detail", &detail,
            "the method and path, or what is wrong with the body; empty where nothing more is known")
        try visitor.field("what", &what, "what is wrong, and what it costs")
        try visitor.field("action", &action, "what to do")
    }
}
