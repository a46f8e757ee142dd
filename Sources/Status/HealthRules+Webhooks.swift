import Wire

// Rules about what LiveKit sends.

extension HealthRules {
    /// The reasons that say nothing about LiveKit: strangers, and what the start or stop explains.
    private static let harmless: Set<String> = ["no_token", "malformed_token", "starting", "stopping"]

    /// The reasons that are answered 503: LiveKit repeats these webhooks.
    private static let repeated: Set<String> = ["queue_full", "commit_late", "journal_failed", "no_memory"]

    /// The alert for a reason.
    private static func alert(_ reason: String) -> StaticString {
        switch reason {
        case "wrong_path", "wrong_method": "LkpushWebhookPathWrong"
        case _ where repeated.contains(reason): "LkpushWebhooksTurnedAway"
        default: "LkpushWebhooksRefused"
        }
    }

    static func webhooksRefused(_ document: StatusDocument) -> [Problem] {
        document.intake.rejections.compactMap { rejection in
            guard !harmless.contains(rejection.reason), document.now.since(rejection.last) < Limits.refused else {
                return nil
            }
            // The journal's own problem says it better, and is over when the journal works again.
            if rejection.reason == "journal_failed", document.journal != nil { return nil }
            // So does that of the clock.
            if isRefusedForTime(rejection), !clocks(document).isEmpty { return nil }
            let detail = rejection.detail.isEmpty ? "" : " (\(rejection.detail))"
            return Problem(
                "webhooks_refused", repeated.contains(rejection.reason) ? .warning : .critical, rejection.reason,
                what: HealthText.sentence(rejection.what.isEmpty ? "Webhooks are refused" : rejection.what),
                cost: "\(HealthText.count(rejection.total)) refused since the start, the last one "
                    + "\(HealthText.span(document.now.since(rejection.last).inSeconds)) ago\(detail).",
                action: HealthText.sentence(rejection.action), alert: alert(rejection.reason))
        }
    }

    static func queue(_ document: StatusDocument) -> [Problem] {
        let intake = document.intake
        guard intake.queueCapacity > 0,
            Double(intake.queue) > Limits.queueShare * Double(intake.queueCapacity) || intake.requestsWaiting > 0
        else { return [] }
        return [
            Problem(
                "queue_nearly_full", .warning,
                what:
                    "\(intake.queue) events wait in a queue for \(intake.queueCapacity), and \(intake.requestsWaiting) "
                    + "requests for room in it.",
                cost: "When it is full for 500 ms, webhooks are answered 503, which LiveKit repeats.",
                action: """
                    See whether the processor is used up (cpu_ratio) and whether events wait for look-ups (waiting_events). \
                    Raise QUEUE_SIZE where it is a burst.
                    """, alert: "LkpushWebhooksTurnedAway")
        ]
    }

    static func lag(_ document: StatusDocument) -> [Problem] {
        guard let lag = document.intake.lag, lag > Limits.lag else { return [] }
        return [
            Problem(
                "delivery_lag", .warning, what: "Webhooks arrive \(HealthText.span(lag)) late.",
                cost: "Numbers of now are late, and times of rooms and people are not exact.",
                action: """
                    Look at the clocks first, because one that is ahead looks like a lag; then for answers of 503 among \
                    the refused webhooks, which LiveKit repeats; then at LiveKit.
                    """, alert: "WebhookDeliveryLagHigh")
        ]
    }

    static func silence(_ document: StatusDocument) -> [Problem] {
        guard document.recorder.participants > 0, let last = document.intake.lastEvent,
            document.now.since(last) > Limits.silence
        else { return [] }
        return [
            Problem(
                "no_webhook_events", .warning,
                what: "No webhook came for \(HealthText.span(document.now.since(last).inSeconds)), although "
                    + "\(HealthText.count(document.recorder.participants)) people are connected.",
                cost: "What happens in the rooms is not counted.",
                action: "See whether LiveKit runs, its webhook URL, and what lies between: a proxy, a firewall, DNS.",
                alert: "NoWebhookEvents")
        ]
    }

    static func unknownRooms(_ document: StatusDocument) -> [Problem] {
        var problems: [Problem] = []
        for room in document.recorder.unknownRooms where document.now.since(room.at) < Limits.hour {
            // One problem for each reason. The list is sorted, so the first room is the last one that came.
            if problems.contains(where: { $0.subject == room.reason }) { continue }
            // A database that does not work has a problem of its own.
            if room.reason == "lookup_error", !database(document).isEmpty { continue }
            let others = document.recorder.unknownRooms.count { $0.reason == room.reason } - 1
            let atLeast = document.recorder.unknownRoomsOmitted > 0 ? "at least " : ""
            let more = others > 0 ? " and \(atLeast)\(others) more" : ""
            problems.append(
                Problem(
                    "rooms_without_organization", .warning, room.reason,
                    what: HealthText.sentence("\(room.what) (room \(room.room)\(more))"),
                    cost: room.reason == "lookup_error"
                        ? "Its events count under unknown, and its rows wait."
                        : "Its events count under unknown, and are missing in the bill of an organization.",
                    action: HealthText.sentence(room.action), alert: "OrgLookupFailures"))
        }
        return problems
    }
}
