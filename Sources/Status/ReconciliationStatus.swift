package import Wire

/// The comparison with LiveKit's server API.
package struct ReconciliationStatus: StatusObject {
    package var url = ""
    package var interval_seconds = 0.0
    package var lastSuccess: Timestamp?
    package var failures = 0
    package var cause = ""
    package var action = ""
    package var setting = ""
    package var doubt = ""
    package var differsSince: Timestamp?
    package var entities: [ReconciledEntityStatus] = []

    package init() {}

    /// lkpush and LiveKit's API do not agree.
    package var differs: Bool { entities.contains { $0.missing > 0 || $0.extra > 0 } }

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("url", &url, "the address of LiveKit's API")
        try visitor.field("interval_seconds", &interval_seconds, "RECONCILE_INTERVAL")
        try visitor.field(
            "last_success_timestamp_seconds", &lastSuccess,
            "when all lists of a poll last came, Unix seconds; null before the first time")
        try visitor.field("failures", &failures, "failed polls since the last success")
        try visitor.field("cause", &cause, "why the last poll failed; empty where it did not")
        try visitor.field("action", &action, "what to do; empty where it did not fail")
        try visitor.field("setting", &setting, "the variables concerned")
        try visitor.field(
            "doubt", &doubt,
            "why the lists of the last poll are suspicious, as in lkpush_reconcile_untrusted_total; empty where they are not"
        )
        try visitor.field(
            "differs_since_timestamp_seconds", &differsSince,
            "since when each poll has found a difference, Unix seconds; null where the last one found none")
        try visitor.field("entities", &entities, "the differences by kind of entity")
    }
}

/// The differences of one kind of entity.
package struct ReconciledEntityStatus: StatusObject {
    package var entity = ""
    package var missing = 0
    package var extra = 0
    package var ghosts = 0

    package init() {}

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("entity", &entity, "the label entity")
        try visitor.field("missing", &missing, "what LiveKit has and lkpush has not")
        try visitor.field("extra", &extra, "what lkpush has and LiveKit has not")
        try visitor.field("ghosts", &ghosts, "what LiveKit still lists though it has ended")
    }
}
