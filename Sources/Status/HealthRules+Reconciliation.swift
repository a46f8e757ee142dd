import Wire

// Rules about LiveKit's API: whether it can be asked, and whether it tells of webhooks that got lost.

extension HealthRules {
    static func reconciliation(_ document: StatusDocument) -> [Problem] {
        guard let polls = document.reconciliation, polls.failures >= Limits.failedPolls else { return [] }
        let isNamed = polls.setting.split(separator: ", ").contains { polls.action.contains($0) }
        let action = HealthText.sentence(HealthText.line(polls.action))
        return [
            Problem(
                "reconciliation_failing", .warning,
                what: HealthText.sentence(
                    "LiveKit's API could not be asked \(HealthText.count(polls.failures)) times in a row"
                        + (polls.cause.isEmpty ? "" : ": \(HealthText.line(polls.cause))")),
                cost: "Corrections wait. Numbers drift if webhooks get lost.",
                action: polls.action.isEmpty
                    ? "Run lkpush check: it asks the API and says what is wrong."
                    : isNamed || polls.setting.isEmpty ? action : "\(action) See \(polls.setting).",
                alert: "LkpushReconciliationFailing")
        ]
    }

    static func webhooksMissing(_ document: StatusDocument) -> [Problem] {
        // Differences that were found by polls of long ago say nothing of now.
        guard let polls = document.reconciliation, polls.failures < Limits.failedPolls, let since = polls.differsSince
        else { return [] }
        let lasts = document.now.since(since).inSeconds
        guard lasts > Limits.correctingPolls * polls.interval_seconds else { return [] }
        let differing = polls.entities.compactMap { entity -> String? in
            let counts = [(entity.missing, "missing"), (entity.extra, "extra")].filter { $0.0 > 0 }
                .map { "\(HealthText.count($0.0)) \($0.1)" }
            return counts.isEmpty ? nil : "\(entity.entity): \(counts.joined(separator: ", "))"
        }
        return [
            Problem(
                "webhooks_missing", .warning,
                what: HealthText.sentence(
                    "lkpush and LiveKit's API have differed for \(HealthText.span(lasts)) (\(differing.joined(separator: "; ")))"
                ),
                cost:
                    "Webhooks get lost again and again. Numbers are late by minutes, and ends of sessions are estimated.",
                action:
                    "See which LiveKit server does not send: compare its webhook URL with LISTEN, and read its log.",
                alert: "LkpushWebhooksMissing")
        ]
    }
}
