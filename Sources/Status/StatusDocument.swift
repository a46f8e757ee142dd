package import Wire

/// The state of a running lkpush: what `GET /debug/status` answers.
///
/// The names of its fields are stable. A capability that is off has no section: `null`, or an empty list.
package struct StatusDocument: StatusObject {
    package var now = Timestamp.absent
    package var program = ProgramStatus()
    package var health = HealthStatus()
    package var intake = IntakeStatus()
    package var journal: JournalStatus?
    package var recorder = RecorderStatus()
    package var usage: UsageStatus?
    package var database = DatabaseStatus()
    package var destinations: [DestinationStatus] = []
    package var organizations = OrganizationsStatus()
    package var history = HistoryStatus()
    package var routes: [RouteStatus] = []
    package var replicas: ReplicaStatus?
    package var reconciliation: ReconciliationStatus?
    package var relays: [LaterStatus] = []
    package var settings: [SettingStatus] = []
    package var messages: [LogMessageStatus] = []

    package init() {}

    /// This is a replica that does not lead: what is counted is another one's.
    package var isStandby: Bool { replicas.map { !$0.isLeader } ?? false }

    package mutating func visit<Visitor: StatusVisitor>(_ visitor: inout Visitor) throws(Visitor.Fault) {
        try visitor.field("now_timestamp_seconds", &now, "when this copy was made, Unix seconds")
        try visitor.field("lkpush", &program, "the process")
        try visitor.field("health", &health, "whether it works, and what to do if not")
        try visitor.field("intake", &intake, "webhooks")
        try visitor.field(
            "journal", &journal,
            "events on disk before they are answered; null before the state is restored")
        try visitor.field("recorder", &recorder, "rooms and people")
        try visitor.field(
            "usage", &usage, "usage in the units of an invoice; null before the state is restored")
        try visitor.field("database", &database, "the database")
        try visitor.field("destinations", &destinations, "where metrics are pushed to")
        try visitor.field("organizations", &organizations, "who uses LiveKit now")
        try visitor.field("history", &history, "the last 15 minutes")
        try visitor.field("routes", &routes, "what else the private listener answers")
        try visitor.field(
            "replicas", &replicas, "the shared journal and its leader; null where the journal is this process's own")
        try visitor.field(
            "reconciliation", &reconciliation, "the comparison with LiveKit's API; null where it is off")
        try visitor.field("relays", &relays, "targets that webhooks are passed on to; always empty in this version")
        try visitor.field("settings", &settings, "the configuration in effect")
        try visitor.field(
            "messages", &messages,
            "the last warnings and errors of the log, the newest first, at most 20")
    }
}
