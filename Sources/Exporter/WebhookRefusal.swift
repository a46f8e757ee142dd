/// Why a webhook was refused other than for its token; the raw value is the label value of `reason`.
package enum WebhookRefusal: String, Sendable, CaseIterable {
    /// Signed, but not JSON of a webhook: 400.
    case invalid_json
    /// Longer than `WEBHOOK_MAX_BODY`: 413.
    case body_too_large
    /// The bodies being received hold all the memory they may: 503.
    case no_memory
    /// No room in the queue for 500 ms: 503.
    case queue_full
    /// lkpush ends: 503.
    case stopping
}
