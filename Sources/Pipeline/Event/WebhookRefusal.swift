/// Why a webhook was refused other than for its token; the raw value is the label value of `reason`.
package enum WebhookRefusal: String, Sendable, CaseIterable {
    /// Signed, but at another path than `/webhook`, or at the private listener: 404, or 405.
    case wrong_path
    /// Signed, at `/webhook`, but with another method than POST: 405.
    case wrong_method
    /// Signed, but not JSON of a webhook: 400.
    case invalid_json
    /// Longer than `WEBHOOK_MAX_BODY`: 413.
    case body_too_large
    /// The bodies being received hold all the memory they may: 503.
    case no_memory
    /// No room in the queue for 500 ms: 503.
    case queue_full
    /// Its event was not committed within 900 ms; it is kept, and its repetition is a duplicate: 503.
    case commit_late
    /// The journal cannot be written: 503.
    case journal_failed
    /// The state is being restored: 503.
    case starting
    /// lkpush ends: 503.
    case stopping
}
