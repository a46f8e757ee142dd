import Wire

// Rules about replicas that share a journal: who leads, and whether this one reaches the journal.

extension HealthRules {
    private static let askDatabase = "See whether the database of JOURNAL_URL answers; lkpush check asks it."

    static func noLeader(_ document: StatusDocument) -> [Problem] {
        guard let replicas = document.replicas, replicas.hasNoLeader else { return [] }
        return [
            Problem(
                "no_leader", .critical, what: "No replica leads the shared log.",
                cost: """
                    Webhooks are taken and kept in the log, and nobody counts them yet. Shared series stand still, and no \
                    rows are written. All is made up for when one leads.
                    """,
                action: """
                    Wait for some seconds after a replica has ended. If it lasts, ask each replica for its status: it says \
                    why it does not lead.
                    """, alert: "LkpushNoLeader")
        ]
    }

    static func mayNotLead(_ document: StatusDocument) -> [Problem] {
        guard let replicas = document.replicas, !replicas.reason.isEmpty, !replicas.isLeader else { return [] }
        return [
            Problem(
                "may_not_lead", .warning,
                what: HealthText.sentence("This replica may not lead: \(HealthText.line(replicas.reason))"),
                cost: "It takes webhooks all the same. Where no other replica may lead, nobody counts them.",
                action: """
                    Give all replicas the same program and the same settings, and set their clocks. The article Replicas says \
                    who does not lead.
                    """)
        ]
    }

    static func leaseUnreadable(_ document: StatusDocument) -> [Problem] {
        // A log that cannot be written says more.
        guard let replicas = document.replicas, !replicas.error.isEmpty, replicas.isLogUp != false,
            document.journal?.isUp != false
        else { return [] }
        let age = replicas.contactAge.map { " It was read \(HealthText.span($0)) ago." } ?? ""
        return [
            Problem(
                "lease_unreadable", .warning,
                what: HealthText.sentence(
                    "The lease of the shared log cannot be read: \(HealthText.line(replicas.error))") + age,
                cost: replicas.isLeader
                    ? "No other replica can begin to lead until it can."
                    : "It is not known who leads, and this replica cannot begin to.",
                action: askDatabase, alert: "LkpushStandbyBehind")
        ]
    }

    static func spilled(_ document: StatusDocument) -> [Problem] {
        guard let replicas = document.replicas, replicas.spilledEvents > 0 else { return [] }
        let isAway = replicas.isLogUp == false
        let why = replicas.logError.isEmpty ? "" : ": \(HealthText.line(replicas.logError))"
        let waiting = """
            \(HealthText.count(replicas.spilledEvents)) \(replicas.spilledEvents == 1 ? "event waits" : "events wait") in \
            STATE_DIR (\(HealthText.size(replicas.spilled_bytes)))
            """
        return [
            Problem(
                "events_spilled", .warning,
                what: HealthText.sentence(
                    isAway
                        ? "\(waiting), because the shared log cannot be reached\(why)"
                        : "\(waiting): the shared log has to take them first"),
                cost: "They are not counted yet. Without a volume they are lost with the pod.",
                action: isAway ? askDatabase : "Wait: they are sent in order, then what is new.",
                alert: "LkpushSpilling")
        ]
    }

    static func logAway(_ document: StatusDocument) -> [Problem] {
        // Events that wait, and webhooks that are not taken, say more.
        guard let replicas = document.replicas, replicas.isLogUp == false, replicas.spilledEvents == 0,
            !document.health.obstacles.contains(where: { $0.hasPrefix(sharedLog) }), replicas.spillError.isEmpty
        else { return [] }
        return [
            Problem(
                "log_away", .warning,
                what: HealthText.sentence(
                    "The shared log cannot be reached"
                        + (replicas.logError.isEmpty ? "" : ": \(HealthText.line(replicas.logError))")),
                cost: "Webhooks wait in STATE_DIR, and what they tell is counted later.",
                action: askDatabase, alert: "LkpushSpilling")
        ]
    }

    static func spillUnusable(_ document: StatusDocument) -> [Problem] {
        guard let replicas = document.replicas, !replicas.spillError.isEmpty else { return [] }
        let isAway = replicas.isLogUp == false
        return [
            Problem(
                "spill_unusable", isAway ? .critical : .warning,
                what: HealthText.sentence("STATE_DIR can keep no events: \(HealthText.line(replicas.spillError))"),
                cost: isAway
                    ? """
                    The shared log cannot be reached either: webhooks are answered 503. LiveKit repeats each for 15 s, then \
                    it is lost.
                    """
                    : "While the shared log cannot be reached, webhooks are answered 503.",
                action: "See the owner, the mode and the room of STATE_DIR, and that no other lkpush uses it.")
        ]
    }

    static func spillLost(_ document: StatusDocument) -> [Problem] {
        guard let replicas = document.replicas, let at = replicas.lastSpillLoss, document.now.since(at) < Limits.hour
        else { return [] }
        return [
            Problem(
                "events_lost", .critical,
                what: """
                    Events in STATE_DIR are damaged and cannot be read: \(HealthText.count(replicas.spillLost)) since the \
                    start.
                    """,
                cost: "What they told is lost: they were answered 200, so LiveKit does not repeat them.",
                action: "See whether the disk of STATE_DIR has errors: the kernel's log tells.",
                alert: "LkpushSpillLost")
        ]
    }
}
