import LiveKit
package import Metrics

/// The counters of the intake. Every reason has its series from the start, so that its first refusal shows in
/// `increase()`.
package struct WebhookMetrics: Sendable {
    private let byToken: [TokenFault: Counter]
    private let byRefusal: [WebhookRefusal: Counter]

    package init(in registry: Registry) {
        let rejected = registry.counter(
            "lkpush_webhook_rejected_total", "Webhooks that were not accepted, by reason.", labels: ["reason"])
        var byToken: [TokenFault: Counter] = [:]
        for reason in TokenFault.allCases { byToken[reason] = rejected.series([reason.rawValue]) }
        var byRefusal: [WebhookRefusal: Counter] = [:]
        for reason in WebhookRefusal.allCases { byRefusal[reason] = rejected.series([reason.rawValue]) }
        self.byToken = byToken
        self.byRefusal = byRefusal
    }

    func count(_ reason: TokenFault) { byToken[reason]?.increment() }
    func count(_ reason: WebhookRefusal) { byRefusal[reason]?.increment() }

    /// Declares the gauges that show how full the intake is.
    package static func show(_ intake: WebhookIntake, in registry: Registry) {
        let queued = registry.gauge("lkpush_webhook_queue_events", "Events between listener and recorder.")
        let room = registry.gauge("lkpush_webhook_queue_capacity_events", "The most events that fit between them.")
        let waiting = registry.gauge("lkpush_webhook_requests_waiting", "Requests that wait for room in the queue.")
        let series = (queued.series(), room.series(), waiting.series())
        registry.onRead {
            series.0?.set(intake.count)
            series.1?.set(intake.capacity)
            series.2?.set(intake.waitingCount)
        }
    }
}
